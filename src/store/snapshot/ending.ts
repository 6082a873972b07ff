/** The end of a snapshot file, which says what the rest of it must be: manifest, signature, trailer. */
import { type KeyObject, verify } from 'node:crypto';
import { InputError } from '../../errors/errors.js';
import { bytesEqual, concatBytes, readU32 } from '../../util/bytes.js';
import {
  END_MAGIC,
  MAGIC,
  MAX_MANIFEST_BYTES,
  malformed,
  SIGNATURE_BYTES,
  type SnapshotManifest,
  TRAILER_BYTES,
} from './format.js';
import { parseManifest } from './manifest.js';

/** Where everything lies in a file. */
export interface Ending {
  /** End of the chunks, and begin of the manifest. */
  readonly dataEnd: number;
  readonly manifestBytes: number;
  /** 0: not signed. */
  readonly signatureBytes: number;
}

/** Reads the last {@link TRAILER_BYTES} of a file of `size` bytes. Throws InputError SNAPSHOT_*. */
export function endingOf(size: number, trailer: Uint8Array): Ending {
  if (!bytesEqual(trailer.subarray(8), END_MAGIC)) throw truncated('the end of the file is missing');
  const [manifestBytes, signatureBytes] = [readU32(trailer, 0), readU32(trailer, 4)];
  const dataEnd = size - TRAILER_BYTES - signatureBytes - manifestBytes;
  const isSignature = signatureBytes === SIGNATURE_BYTES || signatureBytes === 0;
  if (manifestBytes > MAX_MANIFEST_BYTES || !isSignature || dataEnd < MAGIC.length) {
    throw malformed('its trailer contradicts its length');
  }
  return { dataEnd, manifestBytes, signatureBytes };
}

/**
 * The manifest, with its signature verified if a key is given, and its chunks as long as what lies before it. Throws
 * InputError SNAPSHOT_*.
 */
export function manifestOf(
  { dataEnd }: Ending,
  text: Uint8Array,
  signature: Uint8Array,
  publicKey: KeyObject | undefined,
): SnapshotManifest {
  if (publicKey !== undefined) checkSignature(text, signature, publicKey);
  const manifest = parseManifest(text);
  const stored = manifest.chunks.reduce((sum, chunk) => sum + chunk.stored, 0);
  if (MAGIC.length + stored !== dataEnd) throw truncated('its chunks are not as long as the manifest says');
  return manifest;
}

function checkSignature(manifest: Uint8Array, signature: Uint8Array, publicKey: KeyObject): void {
  if (signature.length === 0) {
    throw new InputError('SNAPSHOT_UNSIGNED', 'the snapshot is not signed', {
      hint: 'Omit --public-key only if you trust the source of the file.',
    });
  }
  if (!verify(null, concatBytes(MAGIC, manifest), publicKey, signature)) {
    throw new InputError('SNAPSHOT_BAD_SIGNATURE', 'the snapshot was altered, or signed with another key', {
      hint: 'Get the file again, and the public key from its signer.',
    });
  }
}

/** Throws InputError SNAPSHOT_HASH if a chunk, as it lies in the file, is not what the manifest says. */
export function checkChunkHash(sha256: string, chunk: SnapshotManifest['chunks'][number], number: number): void {
  if (sha256 === chunk.sha256) return;
  throw new InputError('SNAPSHOT_HASH', 'a chunk of the snapshot does not have the hash that the manifest names', {
    facts: { chunk: number, column: chunk.column },
    hint: 'The file was damaged or altered: get it again.',
  });
}

export function truncated(what: string): InputError {
  return new InputError('SNAPSHOT_TRUNCATED', `the snapshot is not complete: ${what}`, { hint: 'Get the file again.' });
}
