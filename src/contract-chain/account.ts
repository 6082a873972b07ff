import { sheetKey } from '../lane/keys.js';
import type { LaneKey, StateReader } from '../lane/types.js';
import { decodeSheet, type Sheet } from '../protocol/sheet.js';
import { concatBytes } from '../util/bytes.js';
import { sha256 } from '../util/sha256.js';
import type { Outpoint } from './write-call.js';

/** An output that holds assets, or held some: a reorg may give them back. */
export interface Coin {
  readonly outpoint: Outpoint;
  readonly key: LaneKey;
  readonly sheet: Sheet;
}

interface KeptCoin extends Coin {
  /** Of `sheet`, as the state has it; undefined: it is spent. */
  value: Uint8Array | undefined;
  sheet: Sheet;
}

/** Outputs that are kept, before those that hold nothing are forgotten. */
const MOST_OUTPUTS = 50_000;

/** Who sends a transaction: a script that nobody else has, and the outputs that it was given. */
export class Account {
  /** A Taproot output: OP_1 and a push of 32 bytes. */
  readonly script: Uint8Array;
  /** Nobody has looked at these. */
  #given: Outpoint[] = [];
  /** Oldest first. */
  #held: KeptCoin[] = [];

  constructor(readonly name: string) {
    this.script = concatBytes(Uint8Array.of(0x51, 32), sha256(Buffer.from(`account ${name}`)));
  }

  give(outpoint: Outpoint): void {
    this.#given.push(outpoint);
  }

  /**
   * Its coins in `state`, oldest first. `isMined`: all that it was given is in a block, so that what holds nothing now
   * never will. An output is spent only after it was seen here.
   */
  coins(state: StateReader, isMined: boolean): Coin[] {
    const later: Outpoint[] = [];
    for (const outpoint of this.#given) {
      const key = sheetKey(outpoint.txid, outpoint.vout);
      const value = state.get(key);
      if (value !== undefined) this.#held.push({ outpoint, key, value, sheet: decodeSheet(value) });
      else if (!isMined) later.push(outpoint);
    }
    this.#given = later;
    return this.#held.filter((coin) => {
      const value = state.get(coin.key);
      if (value !== undefined && value !== coin.value) coin.sheet = decodeSheet(value);
      coin.value = value;
      return value !== undefined;
    });
  }

  /** Forgets what is spent, if it has very many outputs. `state`: after the block that all of them are in. */
  makeRoom(state: StateReader): void {
    if (this.#given.length + this.#held.length <= MOST_OUTPUTS) return;
    this.coins(state, true);
    this.#held = this.#held.filter(({ value }) => value !== undefined);
  }
}
