import { readFileSync } from 'node:fs';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { compactSize } from '../../src/bitcoin/compact-size.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import type { Block, Transaction } from '../../src/bitcoin/types.js';
import { type ColumnSink, runColumns, runSequential } from '../../src/execute/sequential.js';
import { outcomeOf } from '../../src/lane/columns/common-outcome.js';
import { scanColumns } from '../../src/lane/columns/scan-columns.js';
import { balanceKey, codeKey, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import type { LaneContext } from '../../src/lane/message.js';
import type { DependentRule } from '../../src/lane/policy.js';
import { scanBlock } from '../../src/lane/scan.js';
import type { LaneKey, LaneOutcome, StateReader } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import {
  encodeCellpack,
  encodeEnvelope,
  encodeRunestone,
  gzipStored,
  type ProtostoneInput,
} from '../../src/protocol/encode.js';
import { decodeSheet, encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import { seededBytes } from '../../src/selftest/inputs/prng.js';
import { concatBytes, readU128, toDisplayHash, u32Bytes, u64Bytes, u128Bytes } from '../../src/util/bytes.js';
import { expectSame } from '../helpers/same.js';

export const ORDINARY = Uint8Array.of(0x51);
export const COINBASE = { txid: new Uint8Array(32), vout: 0xffffffff };

export function builtProgram(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../dist/wasm/programs/${name}.wasm`, import.meta.url)));
}

export const PROBE = builtProgram('probe');

export interface Outpoint {
  readonly txid: Uint8Array;
  readonly vout: number;
}

export interface TxSpec {
  readonly spend?: readonly Outpoint[];
  /** Scripts of the outputs before the runestone (default: two ordinary ones). */
  readonly outputs?: readonly Uint8Array[];
  readonly protostones?: readonly ProtostoneInput[];
  /** Instead of what `protostones` makes. */
  readonly runestone?: Uint8Array;
  /** Second-to-last witness item of input i. */
  readonly witnesses?: readonly Uint8Array[];
  /** Bytes that the serialised transaction has beside. */
  readonly padding?: number;
}

let counter = 0;

/** A transaction with the runestone as its last output. */
export function makeTx(spec: TxSpec = {}): Transaction {
  const scripts = [...(spec.outputs ?? [ORDINARY, ORDINARY])];
  if (spec.runestone) scripts.push(spec.runestone);
  else if (spec.protostones) scripts.push(encodeRunestone({ protostones: spec.protostones }));
  const spend =
    spec.spend ??
    (spec.witnesses ?? [ORDINARY]).map((_, vout) => ({ txid: seededBytes('test', 'coin', counter++), vout }));
  const sized = (bytes: Uint8Array): Uint8Array => concatBytes(compactSize(bytes.length), bytes);
  const isSegwit = spec.witnesses !== undefined && spec.witnesses.length > 0;
  return parseTransaction(
    concatBytes(
      u32Bytes(2),
      ...(isSegwit ? [Uint8Array.of(0, 1)] : []),
      compactSize(spend.length),
      ...spend.map(({ txid, vout }, i) =>
        concatBytes(txid, u32Bytes(vout), sized(new Uint8Array(i === 0 ? (spec.padding ?? 0) : 0)), u32Bytes(0)),
      ),
      compactSize(scripts.length),
      ...scripts.map((script) => concatBytes(u64Bytes(546n), sized(script))),
      ...(isSegwit
        ? spend.map((_, i) => {
            const witness = spec.witnesses?.[i];
            return witness === undefined
              ? Uint8Array.of(0)
              : concatBytes(Uint8Array.of(2), sized(witness), sized(ORDINARY));
          })
        : []),
      // No two are alike.
      u32Bytes(counter++),
    ),
  );
}

/** A message to 8:8 with everything after the prefix. */
export function call(target: string, ...inputs: (bigint | number)[]): Uint8Array {
  const { block, tx } = parseId(target);
  return encodeCellpack({ block: 8n, tx: 8n }, [block, tx, ...inputs]);
}

export function envelope(wasm: Uint8Array): Uint8Array {
  return encodeEnvelope(gzipStored(wasm));
}

export function makeBlock(transactions: readonly Transaction[]): Block {
  return {
    hash: new Uint8Array(32),
    previousHash: new Uint8Array(32),
    header: new Uint8Array(80),
    coinbaseHeight: undefined,
    transactions,
    raw: concatBytes(new Uint8Array(80), compactSize(transactions.length), ...transactions.map(({ raw }) => raw)),
  };
}

/** So little that a block of some transactions forgets what it has read. */
const LITTLE_BYTES = 2_000;
/** Runs the columns, in the interpreter: tests count what the runner of a world runs. */
const OTHER_RUNNER = new ProgramRunner({ compiles: 'nothing' });

/** A lane state in a map, run by the sequential executor. */
export class World {
  readonly state = new Map<LaneKey, Uint8Array>();
  readonly runner = new ProgramRunner({ compiles: 'everything' });
  laneStartHeight = 0;
  dependent: DependentRule = 'demote';
  height = 100;

  context(block: Block): LaneContext {
    const { height, laneStartHeight, dependent } = this;
    return { height, block: block.raw, laneStartHeight, dependent };
  }

  /** Runs one block; outcomes of its lane transactions. */
  run(...transactions: Transaction[]): LaneOutcome[] {
    const block = makeBlock(transactions);
    const reader = { get: (key: LaneKey) => this.state.get(key) };
    const outcomes = runSequential(scanBlock(block, reader), this.context(block), reader, this.runner);
    expectSame(this.#inColumns(block, reader), outcomes);
    for (const { writes } of outcomes) {
      for (const [key, value] of writes) {
        if (value === undefined) this.state.delete(key);
        else this.state.set(key, value);
      }
    }
    this.height++;
    return outcomes;
  }

  /** The same block from columns, where transactions of the common kind run without the generator. */
  #inColumns(block: Block, reader: StateReader): LaneOutcome[] {
    const columns = scanColumns(BlockOffsets.read(block.raw, block.raw.length), reader);
    const outcomes: LaneOutcome[] = [];
    const sink: ColumnSink = {
      common: (row, run, state) => outcomes.push(outcomeOf(columns, row, run, state)),
      outcome: (_, outcome) => outcomes.push(outcome),
    };
    runColumns(columns, this.context(block), reader, reader, OTHER_RUNNER, sink, LITTLE_BYTES);
    return outcomes;
  }

  /** Runs a block of one transaction of which each protostone is a message. */
  message(message: Uint8Array, spec: TxSpec = {}): LaneOutcome {
    return this.run(makeTx({ protostones: [{ pointer: 0, refund: 1, message }], ...spec }))[0];
  }

  /** Creates a contract and returns its id; `opcode` 0 does nothing in every bundled program. */
  deploy(wasm = PROBE, ...inputs: number[]): string {
    const { messages } = this.message(call('1:0', ...(inputs.length > 0 ? inputs : [0])), {
      witnesses: [envelope(wasm)],
    });
    if (messages[0]?.status !== 'OK') throw new Error(`deployment failed: ${messages[0]?.error}`);
    return messages[0].target as string;
  }

  /** Turns of the loop of the probe `id` after which a call has used `fuel`, or up to a turn less. */
  turnsFor(id: string, fuel: number): number {
    const used = (turns: number): number => this.message(call(id, 10, turns)).messages[0].fuelUsed;
    const [few, many] = [used(1_000), used(2_000)];
    return 1_000 + Math.floor(((fuel - few) * 1_000) / (many - few));
  }

  /** Puts a sheet on an outpoint that nobody made. */
  give(assets: Record<string, bigint>): Outpoint {
    const outpoint = { txid: seededBytes('test', 'given', counter++), vout: 0 };
    const sheet = Sheet.of(Object.entries(assets).map(([id, amount]) => ({ id: parseId(id), amount })));
    this.state.set(sheetKey(outpoint.txid, 0), encodeSheet(sheet));
    return outpoint;
  }

  setBalance(asset: string, holder: string, amount: bigint): void {
    this.state.set(balanceKey(parseId(asset), parseId(holder)), u128Bytes(amount));
  }

  balance(asset: string, holder: string): bigint {
    const value = this.state.get(balanceKey(parseId(asset), parseId(holder)));
    return value === undefined ? 0n : readU128(value, 0);
  }

  sheet(tx: Transaction | Outpoint, vout = 0): Record<string, bigint> {
    const sheet = decodeSheet(this.state.get(sheetKey(tx.txid, vout)));
    return Object.fromEntries(sheet.entries().map(({ id, amount }) => [`${id.block}:${id.tx}`, amount]));
  }

  code(id: string): Uint8Array | undefined {
    return this.state.get(codeKey(parseId(id)));
  }

  storage(id: string, key: Uint8Array | string): Uint8Array | undefined {
    const text = typeof key === 'string' ? key : Buffer.from(key).toString('latin1');
    return this.state.get(storagePrefix(parseId(id)) + text);
  }

  counter(id: string, n: bigint): bigint {
    const value = this.storage(id, concatBytes(Buffer.from('ctr/'), u128Bytes(n)));
    return value === undefined ? 0n : readU128(value, 0);
  }

  get sequence(): bigint | undefined {
    const value = this.state.get(SEQUENCE_KEY);
    return value && readU128(value, 0);
  }

  txid(tx: Transaction): string {
    return toDisplayHash(tx.txid);
  }
}
