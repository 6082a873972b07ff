/** Programs for which the interpreter has no room any more, in a file of this thread: none is laid out twice. */
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { EnvironmentError, InternalError } from '../errors/errors.js';
import { cacheFolder } from '../util/cache-folder.js';
import { MOST_INSTRUCTION, PART_BYTES } from './interpreter-layout.js';
import { type KeptImage, KeptImages } from './kept-images.js';
import type { ProgramImage } from './lay-out.js';

/** A smaller program is laid out again in less time than it takes to find it in the file. */
const LEAST_BYTES = 32 * 1024;

const CHANGED = 'its bytes are not those that were written';

/** Gives a sum over the `length` bytes at `at` of the interpreter's memory. */
type SumOf = (at: number, length: number) => number;

interface Copy {
  readonly image: ProgramImage;
  /** Of the head, then of each part, as it is read: a disk may give other bytes than it took. */
  readonly sums: Uint32Array;
  /** By part: 1 + the place in it where the code before goes on; 0: it does not. */
  readonly starts: Uint8Array;
}

/** A program in the file. */
export type PutAway = KeptImage<Copy>;

const files = new FinalizationRegistry<number>((file) => closeSync(file));
/** Makes a file that has no name: the system deletes it when the process ends, however that ends. */
function namelessFile(): number {
  const path = join(cacheFolder(), `programs-${process.pid}-${threadId}-${randomBytes(8).toString('hex')}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/**
 * Where code is called that no cache holds, a call would pay far too little for laying it out (lane rules 5 give code
 * no price). From the file come only those parts of a program that a run needs. Where the file cannot be written,
 * programs are laid out anew, and `failure` says why. Where it cannot be read, the run ends with an error, and whoever
 * runs the block runs it again without the file.
 */
export class PutAwayPrograms {
  readonly #places: KeptImages<Copy>;
  #file: number | undefined;
  #failure: string | undefined;
  #isReadable = true;
  /** Programs that went because others needed their room. */
  crowdedOut = 0;

  /** `mostBytes`: of the file. */
  constructor(mostBytes: number) {
    this.#places = new KeptImages(0, mostBytes);
  }

  /** Why no more programs are put away; undefined: they are. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** False once it did not give back what was written: whatever is in memory of its programs must go. */
  get isReadable(): boolean {
    return this.#isReadable;
  }

  /** Programs in the file. */
  get size(): number {
    return this.#places.size;
  }

  get(hash: string): PutAway | undefined {
    return this.#isReadable ? this.#places.get(hash) : undefined;
  }

  /** Whether a program of that image is worth it, and not there. */
  takes(hash: string, { codeBytes }: ProgramImage): boolean {
    return codeBytes >= LEAST_BYTES && this.#failure === undefined && this.#places.get(hash) === undefined;
  }

  /**
   * Puts the program away that lies from `start` to `end` of `heap`, if there is room. `starts`: see {@link Copy}.
   */
  put(
    hash: string,
    image: ProgramImage,
    starts: Uint8Array,
    heap: Uint8Array,
    start: number,
    end: number,
    sumOf: SumOf,
  ): void {
    try {
      this.#file ??= this.#open();
      const length = end - start;
      const copy = () => ({ image, starts, sums: sumsOf(image, start, length, sumOf) });
      const place = this.#places.make(hash, length, copy);
      if (place !== undefined) writeAll(this.#file, heap, start, length, place.start);
    } catch (error) {
      // What was written in part is never asked for.
      this.#places.clear();
      this.#failure = error instanceof Error ? error.message : String(error);
    }
  }

  /** Reads the head of a program to `heap` from `start` on. Throws as {@link read}. */
  readHead(
    { image: { image, sums }, start: from, hash }: PutAway,
    heap: Uint8Array,
    start: number,
    sumOf: SumOf,
  ): void {
    this.#read(hash, heap, start, image.headBytes, from);
    if (sumOf(start, image.headBytes) >>> 0 !== sums[0]) throw this.#unreadable(hash, CHANGED);
  }

  /**
   * Reads part number `part` of a program, behind its head, to `heap`, where the program begins at `start`: with the
   * bytes that an instruction may have in the next part. Throws {@link InternalError} if the file does not give back
   * what was written.
   */
  read(away: PutAway, part: number, heap: Uint8Array, start: number, sumOf: SumOf): void {
    const { image, sums } = away.image;
    const [from, to] = rangeOf(part, image.headBytes, away.end - away.start);
    this.#read(away.hash, heap, start + from, to - from, away.start + from);
    if (sumOf(start + from, to - from) >>> 0 !== sums[1 + part]) throw this.#unreadable(away.hash, CHANGED);
  }

  #read(hash: string, heap: Uint8Array, at: number, length: number, position: number): void {
    if (this.#file === undefined) throw new InternalError('no program was put away');
    let done = 0;
    while (done < length) {
      let count: number;
      try {
        count = readSync(this.#file, heap, at + done, length - done, position + done);
      } catch (error) {
        throw this.#unreadable(hash, error instanceof Error ? error.message : String(error));
      }
      if (count === 0) throw this.#unreadable(hash, 'it ends too early');
      done += count;
    }
  }

  #unreadable(hash: string, reason: string): EnvironmentError {
    this.#isReadable = false;
    this.#failure = reason;
    return new EnvironmentError('ENV_PROGRAM_FILE', 'the file of programs cannot be read', {
      facts: { program: hash, reason },
      hint: 'Check the disk of the cache folder.',
    });
  }

  #open(): number {
    const file = namelessFile();
    files.register(this, file);
    return file;
  }
}

/** Where what is read of a part begins and ends. */
function rangeOf(part: number, headBytes: number, bytes: number): [number, number] {
  const end = Math.min((part + 1) * PART_BYTES + MOST_INSTRUCTION, bytes);
  return [Math.min(Math.max(part * PART_BYTES, headBytes), end), end];
}

function sumsOf({ headBytes }: ProgramImage, start: number, bytes: number, sumOf: SumOf): Uint32Array {
  const sums = new Uint32Array(1 + Math.ceil(bytes / PART_BYTES));
  sums[0] = sumOf(start, headBytes);
  for (let part = 0; part + 1 < sums.length; part++) {
    const [from, to] = rangeOf(part, headBytes, bytes);
    sums[1 + part] = sumOf(start + from, to - from);
  }
  return sums;
}

function writeAll(file: number, heap: Uint8Array, at: number, length: number, position: number): void {
  let done = 0;
  while (done < length) done += writeSync(file, heap, at + done, length - done, position + done);
}
