/**
 * Keeps what `auto` and `balance` have learned where it survives a restart. What goes wrong costs speed alone, and
 * never ends a block.
 */
import { encodeCosts, type Learner, type OfOtherPolicies, restoreCosts } from './cost-record.js';

/** Where one record is kept. What it throws is counted, and nothing else happens. */
export interface CostPlace {
  /** undefined: there is none. */
  read(): Uint8Array | undefined;
  write(record: Uint8Array): void;
}

/** Blocks between two writes. */
const WRITTEN_EVERY = 256;

export class CostKeeper {
  /** Records that were dropped or could not be kept, and why the last one was. */
  losses = 0;
  lastLoss: string | undefined;
  #blocks = 0;
  #isChanged = false;
  /** What the record says that is not learned here. */
  #others: OfOtherPolicies | undefined;

  /** Reads the record. `device`: what it must have been measured with; `onLoss` hears why one is lost. */
  constructor(
    readonly place: CostPlace,
    readonly device: string,
    readonly learner: Learner,
    readonly onLoss?: (why: string) => void,
  ) {
    this.#safely('the record of costs cannot be read', () => {
      const record = place.read();
      const found = record && restoreCosts(record, device, learner);
      if (typeof found === 'string') this.#lost(`the record of costs was dropped: ${found}`);
      else this.#others = found;
    });
  }

  /** A block has run. */
  ranBlock(): void {
    this.#isChanged = true;
    this.#blocks++;
    if (this.#blocks % WRITTEN_EVERY === 0) this.save();
  }

  /** Writes what is known by now, if a block has run since the last time. */
  save(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#safely('the record of costs cannot be written', () => {
      this.place.write(encodeCosts(this.device, this.learner, this.#others));
    });
  }

  #safely(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#lost(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #lost(why: string): void {
    this.losses++;
    if (why !== this.lastLoss) this.onLoss?.(why);
    this.lastLoss = why;
  }
}
