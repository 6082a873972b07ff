/** What the messages of one transaction share (docs/lane-rules.md, sections 3 and 5). */
import type { Transaction } from '../bitcoin/types.js';

/** Fuel that every transaction has; larger ones have {@link FUEL_PER_BYTE}. */
const LEAST_FUEL = 3_500_000;
/** Per byte of the transaction as serialised with witness: a deployment whose first run parses it must fit. */
const FUEL_PER_BYTE = 50;
/** What any creation costs (targets 1:0, 3:n, 5:n, 6:n), however it ends. */
export const CREATION_FUEL = 100_000;

/** Fuel of a transaction: at most 200,000,000, as no transaction is longer than a block. */
export function transactionFuel(tx: Pick<Transaction, 'raw'>): number {
  return fuelOfBytes(tx.raw.length);
}

/** The same for a transaction of so many bytes, as serialised with witness. */
export function fuelOfBytes(bytes: number): number {
  return Math.max(LEAST_FUEL, FUEL_PER_BYTE * bytes);
}

/** The fuel that is left to a transaction's messages, and its one attempt to create from its envelope. */
export class Allowance {
  #fuelLeft: number;
  #envelopeUsed = false;

  constructor(tx: Pick<Transaction, 'raw'>) {
    this.#fuelLeft = transactionFuel(tx);
  }

  get fuelLeft(): number {
    return this.#fuelLeft;
  }

  /** Takes `amount`. False if it is more than what is left: then all of that is gone, as with any charge. */
  charge(amount: number): boolean {
    const pays = amount <= this.#fuelLeft;
    this.#fuelLeft = pays ? this.#fuelLeft - amount : 0;
    return pays;
  }

  /** Records the fuel left by a run, which was given all of it. */
  leave(fuelLeft: number): void {
    this.#fuelLeft = fuelLeft;
  }

  /** Marks the transaction's envelope as used; false if an earlier attempt used it. */
  useEnvelope(): boolean {
    const first = !this.#envelopeUsed;
    this.#envelopeUsed = true;
    return first;
  }
}
