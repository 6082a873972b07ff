import { openLaneViews } from '../../src/cli/served.js';
import { ProgramError } from '../../src/errors/errors.js';
import { codeKey, keyBytes, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { RpcBackend } from '../../src/rpc/backend.js';
import { type RpcServer, startRpcServer } from '../../src/rpc/server.js';
import type { RpcServerOptions } from '../../src/rpc/server-options.js';
import { Store } from '../../src/store/store.js';
import type { PlainTx } from '../../src/testing/chains/address-search.js';
import { concatBytes, fromDisplayHash, toBinaryString, u32Bytes } from '../../src/util/bytes.js';
import { block, bytes, OPTIONS, plan, receipt } from '../store/helpers.js';
import { outputsOf } from '../store/outputs.js';
import { EXAMPLE_META, exampleContract } from './example-contract.js';

/** Views of a module that exists in tests only: `echo` gives height prefix and input, `fail` traps. */
async function view(name: string, input: Uint8Array, height: number): Promise<Uint8Array> {
  if (name === 'echo') return concatBytes(u32Bytes(height), input);
  if (name === 'fail') throw new ProgramError('VIEW_FAILED', 'the view trapped: unreachable');
  throw new ProgramError('VIEW_NOT_FOUND', 'the module exports no such view', { hint: 'Look at its documentation.' });
}

/** A preview of this module: its views read no state, so a block changes nothing but the height. */
export const preview: NonNullable<RpcBackend['preview']> = (_, name, input, height) => view(name, input, height + 1);

const id = { block: 2n, tx: 1n };
const storageKey = (key: string) => toBinaryString(concatBytes(keyBytes(storagePrefix(id)), bytes(key)));

/** What the address of the examples pays to: 00 and a hash of twenty bytes 07. */
const SCRIPT = Uint8Array.of(0, 20, ...new Array<number>(20).fill(7));

/** A transaction, with one output to the address of the examples, or none. */
function tx(height: number, index: number, inputs: PlainTx['inputs'], amount?: bigint): PlainTx {
  const outputs = amount === undefined ? [] : [{ script: SCRIPT, amount }];
  return { txid: fromDisplayHash(receipt(height, index).txid), inputs, outputs };
}

/** The chain of docs/json-rpc.md: blocks 100 and 101. */
export function fillExampleStore(store: Store): void {
  store.commitBlock({
    ...block(100, { tip: '100' }),
    // Run one transaction at a time.
    plan: { ...plan(100), colours: 0, widths: [], longestChain: 0 },
    receipts: [receipt(100, 0)],
    laneWrites: new Map([[storageKey('cap'), Uint8Array.of(1, 0)]]),
    outputs: outputsOf([tx(100, 0, [], 50_000n)]),
  });
  const failed = receipt(101, 3, {
    messages: [{ ...receipt(101, 3).messages[0], status: 'REVERT', error: 'abort', data: '', dataBytes: 0 }],
  });
  const outpoint = sheetKey(fromDisplayHash(receipt(101, 0).txid), 0);
  const sheet = encodeSheet(Sheet.of([{ id, amount: 1_000n }]));
  store.commitBlock({
    ...block(101, { tip: '101' }),
    plan: { ...plan(101), laneTxs: 3, edges: 2, colours: 3, widths: [1, 1, 1], longestChain: 3 },
    laneWrites: new Map([
      [storageKey('cap'), Uint8Array.of(2, 0)],
      [outpoint, sheet],
      [codeKey(id), concatBytes(Uint8Array.of(0), exampleContract(EXAMPLE_META))],
    ]),
    outputs: outputsOf([
      tx(101, 0, [], 546n),
      tx(101, 1, []),
      tx(101, 2, []),
      tx(101, 3, [{ txid: fromDisplayHash(receipt(100, 0).txid), vout: 0 }]),
    ]),
    receipts: [receipt(101, 0), failed, receipt(101, 4, { undone: 'overflow', messages: [] })],
  });
}

/** A served store; `fill` false leaves it empty. */
export async function serveExample(
  dir: string,
  options: Partial<Omit<RpcServerOptions, 'backend'>> & { fill?: boolean; backend?: Partial<RpcBackend> } = {},
): Promise<{ server: RpcServer; store: Store; close: () => Promise<void> }> {
  const store = await Store.open(dir, { ...OPTIONS, addresses: true });
  if (options.fill !== false) fillExampleStore(store);
  const lane = openLaneViews(store);
  const laneView: RpcBackend['laneView'] = (kind, request, client) => lane.run(kind, request, client);
  const backend = { store, view, laneView, ...options.backend };
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, ...options, backend });
  const close = async (): Promise<void> => {
    await server.close();
    await lane.close();
    await store.close();
  };
  return { server, store, close };
}
