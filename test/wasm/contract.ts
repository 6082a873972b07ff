import { MESSAGE_FUEL } from '../../src/program/counters.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { parseResult } from '../../src/program/result.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { NO_TEXTS, type Program, type RunHost, type RunStatus } from '../../src/program/types.js';
import { builtPrograms, type ProgramName } from '../../src/util/built-wasm.js';
import { concatBytes, toBinaryString, u128Bytes } from '../../src/util/bytes.js';

export interface Asset {
  readonly block: bigint;
  readonly tx: bigint;
  readonly amount: bigint;
}

export interface CallResult {
  readonly status: RunStatus | 'REJECTED';
  readonly transfers: readonly Asset[];
  readonly data: Uint8Array;
  readonly writes: ReadonlyMap<string, Uint8Array>;
  /** Keys asked for, in order. */
  readonly reads: readonly string[];
  /** The same, each once. */
  readonly keysRead: readonly string[];
  readonly declared: readonly string[];
  readonly fuelUsed: number;
}

export interface CallOptions {
  readonly incoming?: readonly Asset[];
  readonly dryRun?: boolean;
  readonly balance?: Uint8Array;
  readonly transaction?: Uint8Array;
}

export const SELF = { block: 2n, tx: 5n };

const runner = new ProgramRunner();

/** A program with its storage: calls that end well change it, others leave it alone. */
export class Contract {
  readonly storage = new Map<string, Uint8Array>();
  private readonly program: Program;

  /** A bundled program by name, or any other's WASM. */
  constructor(program: ProgramName | Uint8Array) {
    this.program = prepareProgram(typeof program === 'string' ? builtPrograms()[program] : program);
  }

  call(inputs: readonly (bigint | number)[], options: CallOptions = {}): CallResult {
    const { incoming = [], dryRun = false, balance = new Uint8Array(0), transaction = new Uint8Array(0) } = options;
    const numbers = [SELF.block, SELF.tx, 0n, 0n, 4n, BigInt(incoming.length)];
    for (const { block, tx, amount } of incoming) numbers.push(block, tx, amount);
    numbers.push(...inputs.map(BigInt));
    const reads: string[] = [];
    const declared: string[] = [];
    const host: RunHost = {
      isDryRun: dryRun,
      height: 100,
      context: concatBytes(...numbers.map(u128Bytes)),
      transaction,
      block: new Uint8Array(0),
      storage: (key) => {
        reads.push(toBinaryString(key));
        return this.storage.get(toBinaryString(key));
      },
      sequence: () => 9n,
      balance: () => balance,
      declareRead: (key) => declared.push(`get ${toBinaryString(key)}`),
      declareWrite: (key) => declared.push(`put ${toBinaryString(key)}`),
      texts: NO_TEXTS,
      call: refuseCall,
    };
    const run = runner.run(this.program, host, MESSAGE_FUEL);
    const parsed = run.result && parseResult(run.result);
    const status = run.status === 'OK' && !parsed ? 'REJECTED' : run.status;
    const writes = parsed?.storage ?? new Map<string, Uint8Array>();
    if (status === 'OK' && !dryRun) {
      for (const [key, value] of writes) {
        if (value.length > 0) this.storage.set(key, value);
        else this.storage.delete(key);
      }
    }
    return {
      status,
      transfers: (parsed?.transfers ?? []).map(({ id, amount }) => ({ ...id, amount })),
      data: parsed?.data ?? new Uint8Array(0),
      writes,
      reads,
      keysRead: [...new Set(reads)],
      declared,
      fuelUsed: MESSAGE_FUEL - run.fuelLeft,
    };
  }
}

/** Key of a bundled program: text, then numbers of 16 bytes. */
export function keyOf(prefix: string, ...numbers: (bigint | number)[]): string {
  return prefix + numbers.map((n) => toBinaryString(u128Bytes(BigInt(n)))).join('');
}
