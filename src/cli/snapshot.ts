import { createSnapshot } from '../store/snapshot/create.js';
import { readPrivateKey, readPublicKey, writeKeyPair } from '../store/snapshot/keys.js';
import { restoreSnapshot } from '../store/snapshot/restore.js';
import { statusLine } from '../util/status-line.js';

interface Result {
  readonly text: string;
  readonly exitStatus: number;
}

/** `warpshrew snapshot create`. */
export async function createCommand(options: {
  readonly db: string;
  readonly out: string;
  readonly key?: string;
}): Promise<Result> {
  const key = options.key === undefined ? undefined : readPrivateKey(options.key);
  const line = statusLine();
  const { manifest, bytes } = await createSnapshot(options.db, options.out, {
    ...(key && { key }),
    progress: (column, done) => line.show(() => `snapshot: ${column}, ${done} bytes`),
  });
  line.clear();
  const { tip, stateRoot } = manifest;
  const signed = key === undefined ? 'not signed' : 'signed';
  return {
    text: `${options.out}: tip ${tip.height} (${tip.hash}), state root ${stateRoot}, ${bytes} bytes, ${signed}`,
    exitStatus: 0,
  };
}

/** `warpshrew snapshot restore`. */
export async function restoreCommand(options: {
  readonly from: string;
  readonly db: string;
  readonly publicKey?: string;
}): Promise<Result> {
  const publicKey = options.publicKey === undefined ? undefined : readPublicKey(options.publicKey);
  const line = statusLine();
  const { manifest, signed } = await restoreSnapshot(options.from, options.db, {
    ...(publicKey && { publicKey }),
    progress: (what) => line.show(() => `restore: ${what}`),
  });
  line.clear();
  const { tip, stateRoot, lowestRollback } = manifest;
  const trust = publicKey ? 'signature verified' : signed ? 'signature not checked: no --public-key' : 'not signed';
  const reach = `can be rolled back to ${lowestRollback}`;
  return {
    text: `${options.db}: tip ${tip.height} (${tip.hash}), state root ${stateRoot}, ${reach}; ${trust}`,
    exitStatus: 0,
  };
}

/** `warpshrew snapshot key`. */
export async function keyCommand(options: { readonly out: string }): Promise<Result> {
  const { privateFile, publicFile } = writeKeyPair(options.out);
  return { text: `private key ${privateFile} (keep it), public key ${publicFile} (give it away)`, exitStatus: 0 };
}
