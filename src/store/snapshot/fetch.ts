import { createHash, type KeyObject } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { EnvironmentError, InputError } from '../../errors/errors.js';
import { bytesEqual, concatBytes } from '../../util/bytes.js';
import { PART } from './create.js';
import { checkChunkHash, type Ending, endingOf, manifestOf, truncated } from './ending.js';
import { MAGIC, malformed, type SnapshotManifest, TRAILER_BYTES } from './format.js';
import { fetchFailed, Interrupted, type PartSource } from './source.js';

/** Attempts in a row that bring nothing. */
const MOST_ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;

export interface FetchOptions {
  /** Ed25519; if given, a file that is unsigned or signed with another key is refused. */
  readonly publicKey?: KeyObject | undefined;
  /** Hex; a snapshot of another state is refused. */
  readonly stateRoot?: string | undefined;
  /** Called once the manifest is verified, before the chunks are fetched. `there`: bytes that an earlier fetch left. */
  readonly onManifest?: (manifest: SnapshotManifest, size: number, there: number) => void;
  readonly progress?: (done: number, size: number) => void;
  readonly wait?: (ms: number) => Promise<void>;
}

export interface FetchedSnapshot {
  readonly manifest: SnapshotManifest;
  readonly signed: boolean;
  /** Of the whole file, and of what this call fetched. */
  readonly bytes: number;
  readonly fetched: number;
}

/** The end of a file, verified. */
interface Head extends Ending {
  readonly size: number;
  readonly manifest: SnapshotManifest;
  /** Manifest, signature and trailer as they lie in the file. */
  readonly tail: Uint8Array;
}

/**
 * Makes the file `out` from a snapshot elsewhere. The manifest, which lies at its end, is fetched and verified first;
 * each chunk is written when it has its hash. What an earlier call left in `out`.part is verified and kept. A lost
 * connection is made again, {@link MOST_ATTEMPTS} times in a row without a chunk. Throws InputError SNAPSHOT_*,
 * FILE_UNREADABLE; EnvironmentError SNAPSHOT_FILE_EXISTS, FETCH_FAILED, FETCH_NO_PARTS, ENV_UNWRITABLE.
 */
export async function fetchSnapshot(
  source: PartSource,
  out: string,
  options: FetchOptions = {},
): Promise<FetchedSnapshot> {
  if (existsSync(out)) {
    throw new EnvironmentError('SNAPSHOT_FILE_EXISTS', 'a file of this name exists already', {
      facts: { path: out },
      hint: 'Choose another name, or delete the file.',
    });
  }
  const attempts = new Attempts(source, options.wait ?? waitFor);
  const head = await attempts.run(() => headOf(source, options));
  const { manifest, size, tail, dataEnd, signatureBytes } = head;
  const file = new PartFile(`${out}${PART}`);
  let fetched = tail.length;
  try {
    let next = file.verified(manifest);
    const starts = startsOf(manifest);
    options.onManifest?.(manifest, size, next === 0 ? 0 : starts[next]);
    if (next === 0) file.begin();
    while (next < manifest.chunks.length) {
      const from = starts[next];
      await attempts.run(async () => {
        for await (const chunk of chunksOf(source.read(starts[next], dataEnd), manifest, next)) {
          file.write(chunk);
          next++;
          attempts.succeeded();
          options.progress?.(starts[next], size);
        }
        if (next < manifest.chunks.length) throw new Interrupted('the answer ended too early');
      });
      fetched += starts[next] - from;
    }
    file.write(tail);
    file.finish(out);
  } finally {
    file.close();
  }
  return { manifest, signed: signatureBytes > 0, bytes: size, fetched };
}

async function headOf(source: PartSource, { publicKey, stateRoot }: FetchOptions): Promise<Head> {
  const size = await source.size();
  if (size < MAGIC.length + TRAILER_BYTES) throw truncated('the file is too short for one');
  if (!bytesEqual(await whole(source, 0, MAGIC.length), MAGIC)) throw malformed('it does not begin as one');
  const trailer = await whole(source, size - TRAILER_BYTES, size);
  const ending = endingOf(size, trailer);
  const { dataEnd, manifestBytes } = ending;
  const described = await whole(source, dataEnd, size - TRAILER_BYTES);
  const [text, signature] = [described.subarray(0, manifestBytes), described.subarray(manifestBytes)];
  const manifest = manifestOf(ending, text, signature, publicKey);
  if (stateRoot !== undefined && manifest.stateRoot !== stateRoot) {
    throw new InputError('SNAPSHOT_OTHER_ROOT', 'the snapshot is of another state than the one that is wanted', {
      facts: { height: manifest.tip.height, stateRoot: manifest.stateRoot, wanted: stateRoot },
      hint: 'Choose a snapshot of the height whose root you trust.',
    });
  }
  return { ...ending, size, manifest, tail: concatBytes(described, trailer) };
}

/** Bytes that fit into memory: the caller has bounded them. */
async function whole(source: PartSource, from: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - from);
  let at = 0;
  for await (const part of source.read(from, end)) {
    bytes.set(part, at);
    at += part.length;
  }
  if (at < bytes.length) throw new Interrupted('the answer ended too early');
  return bytes;
}

/** Whole chunks, from number `next` on, each with its hash verified; what is cut off at the end is dropped. */
async function* chunksOf(
  parts: AsyncIterable<Uint8Array>,
  { chunks }: SnapshotManifest,
  next: number,
): AsyncGenerator<Uint8Array, void, void> {
  let chunk = new Uint8Array(chunks[next].stored);
  let filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + chunk.length - filled);
      chunk.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled < chunk.length) continue;
      checkChunkHash(createHash('sha256').update(chunk).digest('hex'), chunks[next], next);
      yield chunk;
      next++;
      if (next === chunks.length) return;
      chunk = new Uint8Array(chunks[next].stored);
      filled = 0;
    }
  }
}

/** Where each chunk begins, and the last one ends. */
function startsOf({ chunks }: SnapshotManifest): number[] {
  const starts = [MAGIC.length];
  for (const { stored } of chunks) starts.push(starts[starts.length - 1] + stored);
  return starts;
}

/** Tries again after a lost connection, waiting longer each time that it brought nothing. */
class Attempts {
  #failed = 0;
  readonly #source: PartSource;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(source: PartSource, wait: (ms: number) => Promise<void>) {
    this.#source = source;
    this.#wait = wait;
  }

  succeeded(): void {
    this.#failed = 0;
  }

  async run<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        if (++this.#failed >= MOST_ATTEMPTS) throw fetchFailed(this.#source.name, error.message, error);
        await this.#wait(FIRST_WAIT_MS * 2 ** (this.#failed - 1));
      }
    }
  }
}

function waitFor(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What has been fetched of a file, under a name of its own until it is complete. */
class PartFile {
  #at = 0;
  #fd: number | undefined;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.#fd = this.#attempt(() => openSync(path, existsSync(path) ? 'r+' : 'w+'));
  }

  /** How many chunks of the manifest it has, from the first on; what is behind them is cut off. */
  verified({ chunks }: SnapshotManifest): number {
    const size = this.#do((fd) => fstatSync(fd).size);
    if (size < MAGIC.length || !bytesEqual(this.#read(0, MAGIC.length), MAGIC)) return this.#keep(0, 0);
    let at = MAGIC.length;
    for (const [number, { stored, sha256 }] of chunks.entries()) {
      const isThere = at + stored <= size;
      if (!isThere || createHash('sha256').update(this.#read(at, stored)).digest('hex') !== sha256) {
        return this.#keep(number === 0 ? 0 : at, number);
      }
      at += stored;
    }
    return this.#keep(at, chunks.length);
  }

  begin(): void {
    this.#keep(0, 0);
    this.write(MAGIC);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const written = this.#do((fd) => writeSync(fd, bytes, done, bytes.length - done, this.#at));
      done += written;
      this.#at += written;
    }
  }

  finish(name: string): void {
    this.#do((fd) => fsyncSync(fd));
    this.close();
    this.#attempt(() => renameSync(this.#path, name));
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #keep(bytes: number, chunks: number): number {
    this.#do((fd) => ftruncateSync(fd, bytes));
    this.#at = bytes;
    return chunks;
  }

  #read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = this.#do((fd) => readSync(fd, bytes, done, length - done, at + done));
      if (read === 0) break;
      done += read;
    }
    return bytes;
  }

  #do<T>(act: (fd: number) => T): T {
    const fd = this.#fd;
    if (fd === undefined) throw this.#unwritable(undefined);
    return this.#attempt(() => act(fd));
  }

  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw this.#unwritable(cause);
    }
  }

  #unwritable(cause: unknown): EnvironmentError {
    return new EnvironmentError('ENV_UNWRITABLE', 'the file cannot be written', { facts: { path: this.#path }, cause });
  }
}
