/** The memories that a runner lends, one for each depth of frames, and the instances that wait in them. */
import type { ProgramInstance } from './instance.js';
import { LentMemory } from './lent-memory.js';
import { BoundedCache } from './lru.js';

/** Instances kept in the memory of a depth. They hold nothing of their own but their images. */
const KEPT_INSTANCES = 32;

/** What one depth has. */
class Lender {
  /** Made when it is first needed. */
  memory: LentMemory | undefined;
  isOut = false;
  idle = new BoundedCache<ProgramInstance>(KEPT_INSTANCES, KEPT_INSTANCES);

  /** Bytes of the machine's memory that it takes, at most; a run may still have it. */
  get takenBytes(): number {
    return this.memory?.takenBytes ?? 0;
  }

  /** The memory is someone else's now, or not worth keeping. */
  forget(): void {
    this.memory = undefined;
    this.idle = new BoundedCache(KEPT_INSTANCES, KEPT_INSTANCES);
  }
}

/**
 * Frames of which one calls the next never share a memory, for each has that of its depth; the memory of a depth is
 * lent to one run at a time.
 */
export class LentMemories {
  readonly #lenders: Lender[] = [];
  readonly #keptBytes: number;

  /** `keptBytes`: what all of them may take while nobody has one. */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes;
  }

  /** Whether the memory of `depth` is there to be lent. */
  isFree(depth: number): boolean {
    return this.#lenders[depth]?.isOut !== true;
  }

  /** The memory of `depth`, for a new instance. */
  memoryOf(depth: number): LentMemory {
    const lender = this.#lenderOf(depth);
    lender.memory ??= new LentMemory();
    return lender.memory;
  }

  /** Lends it to a run, for which an instance may wait. */
  take(hash: string, depth: number): ProgramInstance | undefined {
    const lender = this.#lenderOf(depth);
    lender.isOut = true;
    return lender.idle.take(hash);
  }

  /** The run is over. */
  giveBack(depth: number): void {
    this.#lenderOf(depth).isOut = false;
  }

  /** An instance in the memory of `depth` waits for the next run of its program. */
  keep(hash: string, depth: number, instance: ProgramInstance): void {
    this.#lenderOf(depth).idle.set(hash, instance, 1);
  }

  /** The memory of `depth` holds a result now, or what cannot be told: it is not lent again. */
  forget(depth: number): void {
    this.#lenderOf(depth).forget();
  }

  /** The code of the program was forgotten: so are its instances. */
  forgetProgram(hash: string): void {
    for (const { idle } of this.#lenders) idle.take(hash);
  }

  /** Instances that wait. */
  get instances(): number {
    return this.#lenders.reduce((sum, { idle }) => sum + idle.size, 0);
  }

  /** Bytes of the machine's memory that all of them take, at most. */
  get takenBytes(): number {
    // Asked for after each message: a loop makes nothing.
    let bytes = 0;
    for (const lender of this.#lenders) bytes += lender.takenBytes;
    return bytes;
  }

  #lenderOf(depth: number): Lender {
    while (this.#lenders.length <= depth) this.#lenders.push(new Lender());
    return this.#lenders[depth];
  }

  /**
   * A message has ended: gives memories that take too much back to the machine, unless somebody has one. Large ones go
   * first: with few of them gone, frames of most depths find theirs, and their instances, again. Of equal ones the
   * deepest go, which the fewest messages need: a memory of 32 MiB takes the machine longer to map anew than a message
   * to run. Bytes that were given back, which the machine has once they are collected.
   */
  trim(): number {
    let given = 0;
    for (let taken = this.takenBytes; taken > this.#keptBytes; ) {
      if (this.#lenders.some(({ isOut }) => isOut)) break;
      const cost = this.#lenders.map(({ takenBytes }, depth) => takenBytes * (depth + 1));
      const worst = this.#lenders[cost.indexOf(Math.max(...cost))];
      taken -= worst.takenBytes;
      given += worst.takenBytes;
      worst.forget();
    }
    return given;
  }
}
