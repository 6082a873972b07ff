/**
 * Changes of many blocks, which come key by key, put in the order of the blocks with bounded memory: they are written
 * to temporary files by ranges of heights, and each file is read back alone.
 */
import { appendFileSync, closeSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { EnvironmentError, InternalError } from '../errors/errors.js';
import type { PlacedChange, StateChange } from '../store/changes.js';
import { readU32, writeU32 } from '../util/bytes.js';

/** Changes of one block, namespace S first, then by key; from the first on at each call, while it is the last. */
export interface BlockChanges {
  readonly height: number;
  readonly changes: () => Iterable<StateChange>;
  /** Whether they could be read again, where they are read from the store. */
  readonly isThere: () => boolean;
}

export interface SpillBounds {
  /** Files that heights are divided among at a time. */
  readonly files: number;
  /** Bytes of a file that is read back as a whole; a larger one is divided again, but for that of a single block. */
  readonly fileBytes: number;
}

/** Where files may lie while changes are sorted, and what ends that early: no more blocks come then. */
export interface Sorting {
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/** After so many the thread hears of other things. */
const CHANGES_A_TURN = 1_000;
const USUAL: SpillBounds = { files: 128, fileBytes: 16 << 20 };
/** Bytes of a file that are kept until they are written. */
const BUFFER_BYTES = 1 << 16;
const READ_BYTES = 1 << 20;
/** height, flags and namespace, lengths of key, value and value before: u32 each but the second. */
const HEAD = 17;
const HAS_VALUE = 1;
const HAD_VALUE = 2;
const IS_LANE = 4;

/**
 * The blocks from `from` to `to` in their order, each with its changes, of which there may be none. `changes` are of
 * these blocks, in the order of their keys. Files lie in a new folder in `folder`, which is gone at the end. Throws
 * EnvironmentError ENV_UNWRITABLE.
 */
export async function* inBlockOrder(
  changes: Iterable<PlacedChange>,
  from: number,
  to: number,
  { folder, signal }: Sorting,
  bounds: SpillBounds = USUAL,
): AsyncGenerator<BlockChanges, void, void> {
  let own: string;
  try {
    own = mkdtempSync(join(folder, 'sorting-'));
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  try {
    yield* divided(changes, from, to, join(own, 'part'), signal, bounds);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

async function* divided(
  changes: Iterable<PlacedChange>,
  from: number,
  to: number,
  name: string,
  signal: AbortSignal | undefined,
  bounds: SpillBounds,
): AsyncGenerator<BlockChanges, void, void> {
  const width = Math.ceil((to - from + 1) / bounds.files);
  const files: SpillFile[] = [];
  for (let first = from; first <= to; first += width) files.push(new SpillFile(`${name}-${first}`));
  let count = 0;
  for (const change of changes) {
    if (++count % CHANGES_A_TURN === 0) await turn();
    if (signal?.aborted === true) return;
    const file = change.height <= to ? files[Math.floor((change.height - from) / width)] : undefined;
    if (file === undefined) throw new InternalError('a change is of another block', { facts: { from, to } });
    file.add(change);
  }
  for (const file of files) file.flush();
  for (const [i, file] of files.entries()) {
    const first = from + i * width;
    const last = Math.min(to, first + width - 1);
    if (first === last) yield { height: first, changes: () => standardFirst(file), isThere: sure };
    else if (file.bytes > bounds.fileBytes) yield* divided(file.all(), first, last, file.path, signal, bounds);
    else yield* blocksOf(file, first, last);
    file.remove();
  }
}

const sure = (): boolean => true;

/** The order of undo records; that of the database is the other one. */
function* standardFirst(file: SpillFile): Generator<StateChange, void, void> {
  for (const ns of ['S', 'P'] as const) for (const change of file.all()) if (change.ns === ns) yield change;
}

function* blocksOf(file: SpillFile, first: number, last: number): Generator<BlockChanges, void, void> {
  const byHeight = Array.from({ length: last - first + 1 }, () => ({ S: [] as StateChange[], P: [] as StateChange[] }));
  for (const change of file.all()) byHeight[change.height - first][change.ns].push(change);
  for (const [i, { S, P }] of byHeight.entries()) {
    const changes = [...S, ...P];
    byHeight[i] = { S: [], P: [] };
    yield { height: first + i, changes: () => changes, isThere: sure };
  }
}

class SpillFile {
  bytes = 0;
  #buffer = Buffer.alloc(0);
  #used = 0;

  constructor(readonly path: string) {}

  add({ height, ns, key, value, before }: PlacedChange): void {
    const length = HEAD + key.length + (value?.length ?? 0) + (before?.length ?? 0);
    if (this.#used + length > this.#buffer.length) {
      this.flush();
      if (length > this.#buffer.length) this.#buffer = Buffer.alloc(Math.max(BUFFER_BYTES, length));
    }
    const flags =
      (value === undefined ? 0 : HAS_VALUE) | (before === undefined ? 0 : HAD_VALUE) | (ns === 'P' ? IS_LANE : 0);
    const to = this.#buffer;
    let at = this.#used;
    writeU32(to, at, height);
    to[at + 4] = flags;
    writeU32(to, at + 5, key.length);
    writeU32(to, at + 9, value?.length ?? 0);
    writeU32(to, at + 13, before?.length ?? 0);
    at += HEAD;
    for (const part of [key, value, before]) {
      if (part === undefined) continue;
      to.set(part, at);
      at += part.length;
    }
    this.#used = at;
    this.bytes += length;
  }

  /** Writes what is kept. Nothing is added afterwards but as the next part of the file. */
  flush(): void {
    if (this.#used === 0) return;
    try {
      appendFileSync(this.path, this.#buffer.subarray(0, this.#used));
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
    this.#used = 0;
  }

  *all(): Generator<PlacedChange, void, void> {
    if (this.bytes === 0) return;
    const file = openSync(this.path, 'r');
    try {
      let chunk = Buffer.alloc(READ_BYTES);
      let [at, end] = [0, 0];
      const need = (length: number): boolean => {
        if (end - at >= length) return true;
        const rest = chunk.subarray(at, end);
        if (length > chunk.length) chunk = Buffer.alloc(length);
        chunk.set(rest, 0);
        [at, end] = [0, rest.length];
        while (end < length) {
          const read = readSync(file, chunk, end, chunk.length - end, null);
          if (read === 0) return false;
          end += read;
        }
        return true;
      };
      while (need(HEAD)) {
        const height = readU32(chunk, at);
        const flags = chunk[at + 4];
        const lengths = [readU32(chunk, at + 5), readU32(chunk, at + 9), readU32(chunk, at + 13)];
        if (!need(HEAD + lengths[0] + lengths[1] + lengths[2])) {
          throw new InternalError('a temporary file has lost its end', { facts: { path: this.path } });
        }
        at += HEAD;
        const [key, value, before] = lengths.map((length) => {
          const part = new Uint8Array(chunk.subarray(at, at + length));
          at += length;
          return part;
        });
        yield {
          height,
          ns: flags & IS_LANE ? 'P' : 'S',
          key,
          value: flags & HAS_VALUE ? value : undefined,
          before: flags & HAD_VALUE ? before : undefined,
        };
      }
    } finally {
      closeSync(file);
    }
  }

  remove(): void {
    this.#buffer = Buffer.alloc(0);
    if (this.bytes > 0) unlinkSync(this.path);
  }
}

function unwritable(path: string, cause: unknown): EnvironmentError {
  return new EnvironmentError('ENV_UNWRITABLE', 'a temporary file cannot be written', { facts: { path }, cause });
}
