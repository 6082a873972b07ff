/** `warpshrew snapshot fetch`: gets a snapshot from a folder or a server, and goes on where an earlier one ended. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors/errors.js';
import {
  CATALOGUE_FILE,
  type CatalogueEntry,
  MAX_CATALOGUE_BYTES,
  parseCatalogue,
  readCatalogue,
} from '../store/snapshot/catalogue.js';
import { fetchSnapshot } from '../store/snapshot/fetch.js';
import { readPublicKey } from '../store/snapshot/keys.js';
import { fetchText, isAddress, sourceOf } from '../store/snapshot/source.js';
import { toHex } from '../util/bytes.js';
import { statusLine, timeText } from '../util/status-line.js';
import { restoreCommand } from './snapshot.js';

const MIB = 2 ** 20;
const SNAPSHOT_NAME = /\.snapshot$/;

export interface FetchCommandOptions {
  readonly out: string;
  readonly publicKey?: string;
  /** State root that is trusted. */
  readonly stateRoot?: Uint8Array;
  readonly height?: number;
  /** Folder to restore into. */
  readonly db?: string;
}

/**
 * `from`: a snapshot, or a folder that lists them, each a path or an address. Throws InputError SNAPSHOT_*, and what
 * `fetchSnapshot` and `restoreSnapshot` throw.
 */
export async function fetchCommand(
  from: string,
  options: FetchCommandOptions,
): Promise<{ text: string; exitStatus: number }> {
  const publicKey = options.publicKey === undefined ? undefined : readPublicKey(options.publicKey);
  const wanted = options.stateRoot && toHex(options.stateRoot);
  const { place, entry } = isFile(from)
    ? { place: from, entry: undefined }
    : await listed(from, options.height, wanted);
  const line = statusLine();
  const started = performance.now();
  let begun = 0;
  const { manifest, signed, bytes, fetched } = await fetchSnapshot(sourceOf(place), options.out, {
    publicKey,
    stateRoot: wanted ?? entry?.stateRoot,
    onManifest: ({ tip }, size, there) => {
      begun = there;
      const kept = there === 0 ? '' : `, ${sizeText(there)} of it fetched before`;
      process.stderr.write(`${place}: height ${tip.height}, ${sizeText(size)}${kept}\n`);
    },
    progress: (done, size) =>
      line.show(() => {
        const rate = (done - begun) / ((performance.now() - started) / 1000);
        const share = Math.floor((100 * done) / size);
        const left = timeText(Math.ceil((size - done) / rate));
        const so = `${sizeText(done)} of ${sizeText(size)}  ${share}%`;
        return `fetch  ${so}  ${(rate / MIB).toFixed(1)} MiB/s  ${left} left`;
      }),
  });
  line.clear();
  const { tip, stateRoot } = manifest;
  const trust = publicKey ? 'signature verified' : signed ? 'signature not checked: no --public-key' : 'not signed';
  const got = `${bytes} bytes (${fetched} fetched now)`;
  const text = `${options.out}: tip ${tip.height} (${tip.hash}), state root ${stateRoot}, ${got}; ${trust}`;
  if (options.db === undefined) return { text, exitStatus: 0 };
  const { publicKey: key } = options;
  const restored = await restoreCommand({
    from: options.out,
    db: options.db,
    ...(key !== undefined && { publicKey: key }),
  });
  return { text: `${text}\n${restored.text}`, exitStatus: restored.exitStatus };
}

function isFile(from: string): boolean {
  if (isAddress(from)) return !URL.canParse(from) || SNAPSHOT_NAME.test(new URL(from).pathname);
  return !existsSync(from) || !statSync(from).isDirectory();
}

/** The newest snapshot of a folder, of those with that height and state. */
async function listed(
  folder: string,
  height: number | undefined,
  stateRoot: string | undefined,
): Promise<{ place: string; entry: CatalogueEntry }> {
  const inFolder = (name: string): string =>
    isAddress(folder) ? `${folder.replace(/\/+$/, '')}/${name}` : join(folder, name);
  const entries = isAddress(folder)
    ? parseCatalogue(await fetchText(inFolder(CATALOGUE_FILE), MAX_CATALOGUE_BYTES))
    : readCatalogue(folder);
  const entry = entries
    .filter((one) => (height ?? one.height) === one.height && (stateRoot ?? one.stateRoot) === one.stateRoot)
    .reduce<CatalogueEntry | undefined>((a, b) => (a !== undefined && a.height > b.height ? a : b), undefined);
  if (entry !== undefined) return { place: inFolder(entry.file), entry };
  throw new InputError('SNAPSHOT_NOT_LISTED', 'the folder lists no such snapshot', {
    facts: { folder, listed: entries.map((one) => one.height).join(', ') || 'none' },
    hint: 'Choose one of the listed heights with --height, or name the file itself.',
  });
}

function sizeText(bytes: number): string {
  if (bytes < MIB) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 * MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / MIB / 1024).toFixed(2)} GiB`;
}
