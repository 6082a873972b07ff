/** Contracts in a lane of their own, and the messages that call them. */
import { BlockOffsets } from '../../../bitcoin/block-offsets.js';
import { UsageError } from '../../../errors/errors.js';
import { type CpuRunner, driveOnCpu } from '../../../execute/tasks/drive.js';
import { transactionsOf } from '../../../lane/columns/lane-columns.js';
import { scanColumns } from '../../../lane/columns/scan-columns.js';
import { codeKey, SEQUENCE_KEY } from '../../../lane/keys.js';
import type { LaneContext } from '../../../lane/message.js';
import { MapOverlay } from '../../../lane/overlay.js';
import type { LaneTransaction } from '../../../lane/scan.js';
import { laneTransaction } from '../../../lane/transaction.js';
import type { LaneKey, LaneOutcome } from '../../../lane/types.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { concatBytes, u128Bytes } from '../../../util/bytes.js';
import { seededBytes } from '../../inputs/prng.js';
import { blockOf, call, type WorkloadTransaction } from '../workload-bytes.js';
import type { ContractCall } from './methods.js';

/** Above the numbers of all contracts that are given. */
const FIRST_CREATED = u128Bytes(1_000_000n);
const HEIGHT = 1;

/** The id of the contract of file `contract`, counted from 0: they are 2:1, 2:2, … */
function idOf(contract: number): AlkaneId {
  return { block: 2n, tx: BigInt(contract + 1) };
}

/** A transaction whose one message is `made`. */
function transactionOf({ contract, inputs }: ContractCall): WorkloadTransaction {
  return { protostones: [call(idOf(contract), inputs)], incoming: [] };
}

export class ContractWorld {
  readonly state = new Map<LaneKey, Uint8Array>([[SEQUENCE_KEY, FIRST_CREATED]]);
  #coins = 0;

  constructor(readonly codes: readonly Uint8Array[]) {
    codes.forEach((wasm, contract) => {
      this.state.set(codeKey(idOf(contract)), concatBytes(Uint8Array.of(0), wasm));
    });
  }

  /** Runs a message and keeps what it writes. Throws UsageError `USAGE_BENCH` if it fails. */
  setUp(made: ContractCall, runner: CpuRunner): void {
    const outcome = this.run(this.transaction(made), runner);
    const [message] = outcome.messages;
    if (message?.status !== 'OK') {
      throw new UsageError('USAGE_BENCH', 'a message that sets the contracts up fails', {
        facts: {
          inputs: made.inputs.join(','),
          status: message?.status ?? 'none',
          error: message?.error ?? outcome.undone ?? '',
        },
        hint: 'Check the inputs of --setup: the opcode and its parameters, as `__meta` names them.',
      });
    }
    for (const [key, value] of outcome.writes) {
      if (value === undefined) this.state.delete(key);
      else this.state.set(key, value);
    }
  }

  /** A transaction that no other is like, with that message. */
  transaction(made: ContractCall): { readonly transaction: LaneTransaction; readonly context: LaneContext } {
    const raw = this.block(1, made);
    const block = BlockOffsets.read(raw, raw.length);
    const [transaction] = transactionsOf(scanColumns(block, { get: (key) => this.state.get(key) }));
    const context = { height: HEIGHT, block: raw, laneStartHeight: 0, dependent: 'demote' } as const;
    return { transaction, context };
  }

  /** A block of `count` transactions with that message each. */
  block(count: number, made: ContractCall): Uint8Array {
    const first = this.#coins;
    this.#coins += count;
    const transactions = new Array<WorkloadTransaction>(count).fill(transactionOf(made));
    return blockOf(transactions, (i) => seededBytes('contracts', 'coin', first + i));
  }

  /** Runs a transaction; the state stays as it is. */
  run({ transaction, context }: ReturnType<ContractWorld['transaction']>, runner: CpuRunner): LaneOutcome {
    const before = new MapOverlay({ get: (key) => this.state.get(key) });
    return driveOnCpu(laneTransaction(transaction, context, before), runner);
  }
}
