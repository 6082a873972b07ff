/** What a test is given: a chain of its own, and the contracts of the project by name. */
import { AssertionError } from 'node:assert';
import { type CallOptions, type CallResult, ContractChain, type Input } from '../contract-chain/contract-chain.js';
import { UsageError } from '../errors/errors.js';
import { formatId } from '../protocol/alkane-id.js';
import type { AlkaneId } from '../protocol/types.js';
import { readU128, toHex } from '../util/bytes.js';
import type { RecordingChain } from './recording-chain.js';

export class TestChain extends ContractChain {
  /** Fuel of all messages so far. */
  fuel = 0;
  readonly #contracts: ReadonlyMap<string, Uint8Array>;

  constructor(
    readonly recording: RecordingChain,
    contracts: ReadonlyMap<string, Uint8Array>,
  ) {
    super(recording);
    this.#contracts = contracts;
  }

  /** The WASM of a contract of the project. Throws UsageError USAGE_TEST_CONTRACT if it has none of that name. */
  wasm(name: string): Uint8Array {
    const wasm = this.#contracts.get(name);
    if (wasm !== undefined) return wasm;
    throw new UsageError('USAGE_TEST_CONTRACT', `the project has no contract of the name ${name}`, {
      facts: { name, contracts: [...this.#contracts.keys()].join(', ') },
      hint: 'A contract is a file of contracts/, or an entry of "contracts" in warpshrew.json.',
    });
  }

  /** Creates a contract, from its name in the project or from WASM, as {@link ContractChain.deploy} does. */
  override deploy(
    contract: string | Uint8Array,
    inputs?: readonly Input[],
    options?: CallOptions,
  ): CallResult & { id: AlkaneId } {
    return super.deploy(typeof contract === 'string' ? this.wasm(contract) : contract, inputs, options);
  }

  /** Throws AssertionError, with how it ended, unless the call succeeded; gives it back. */
  ok(result: CallResult): CallResult {
    if (result.status === 'OK') return result;
    return failed(result, 'OK', this.ok);
  }

  /** Throws AssertionError unless the call reverted; and, if `why` is given, for that reason. */
  reverts(result: CallResult, why?: RegExp | string): CallResult {
    if (result.status !== 'REVERT') return failed(result, 'REVERT', this.reverts);
    const { error = '' } = result;
    if (why === undefined || (typeof why === 'string' ? error.includes(why) : why.test(error))) return result;
    return failed(result, `REVERT because of ${why}`, this.reverts);
  }

  /** Data of 1 to 16 bytes from `at` on as a number, little-endian. */
  number({ data }: CallResult, at = 0): bigint {
    const bytes = new Uint8Array(16);
    bytes.set(data.subarray(at, at + 16));
    return readU128(bytes, 0);
  }

  /** Data as text. */
  text({ data }: CallResult): string {
    return Buffer.from(data).toString('utf8');
  }
}

/** What helps where the reason alone does not. */
const HINTS: Readonly<Record<string, string>> = {
  OUT_OF_FUEL:
    'a transaction has 3,500,000 units, or 50 a byte if that is more: do less in a message (docs/lane-rules.md, 5)',
  TRAP: 'an access outside of memory, a division by zero, unreachable, or too deep a stack (docs/lane-rules.md, 4)',
  REJECTED: 'the host refused it, not the contract: the id, the envelope or the response (docs/lane-rules.md, 3 and 4)',
  UNDONE: 'the transaction is wrong as a whole (docs/lane-rules.md, 1.6 and 2): nothing of it ran',
};

/** `asserts`: the method that the stack is to begin below. */
function failed(result: CallResult, wanted: string, asserts: (...given: never[]) => unknown): never {
  const { status, error, id, fuel, data, receipt } = result;
  const lines = [
    `the message to ${id === undefined ? 'no contract' : formatId(id)} ended ${status}, not ${wanted}`,
    ...(error === undefined ? [] : [`  reason  ${error}`]),
    `  fuel    ${fuel}`,
    ...(data.length === 0 ? [] : [`  data    0x${toHex(data)}`]),
    ...(HINTS[status] === undefined ? [] : [`  hint    ${HINTS[status]}`]),
    ...(receipt?.logs ?? []).map((log) => `  log     ${Buffer.from(log.data, 'hex').toString('utf8')}`),
  ];
  throw new AssertionError({ message: lines.join('\n'), actual: status, expected: wanted, stackStartFn: asserts });
}
