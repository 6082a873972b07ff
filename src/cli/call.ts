/** `warpshrew call`: runs a contract on the lane's state and keeps nothing. */
import { EnvironmentError, EXIT, InputError, UsageError } from '../errors/errors.js';
import { formatId } from '../protocol/alkane-id.js';
import type { SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';
import { askRpc } from '../rpc/ask-rpc.js';
import { type SimulationJson, simulationJson } from '../rpc/simulation-json.js';
import type { SimulationRequest } from '../simulate/request.js';
import { Store } from '../store/store.js';
import { fromHex, toHex } from '../util/bytes.js';
import { callText } from './call-text.js';
import { readInputFile } from './files.js';
import { openLaneViews } from './served.js';

export interface CallOptions {
  readonly db?: string;
  readonly rpc?: string;
  readonly incoming?: readonly SheetEntry[];
  readonly height?: number;
  /** File of the transaction around the message: its bytes, or their hex. */
  readonly transaction?: string;
  readonly json?: boolean;
}

/** A transaction in hex with line breaks: more than any. */
const MAX_FILE = 16 << 20;

/**
 * Runs a message on the state after a block, the tip's if not given: of a database or of a running server. Exit status
 * 1 if it does not succeed. Throws UsageError USAGE_CALL_FROM, USAGE_HEIGHT_NOT_INDEXED, EnvironmentError
 * ENV_RPC_FAILED, InputError FILE_*, TX_*, and StoreError.
 */
export async function callCommand(
  target: AlkaneId,
  inputs: readonly bigint[],
  options: CallOptions,
): Promise<{ text: string; exitStatus: number }> {
  const simulation = await simulated(target, inputs, options);
  const text = options.json ? JSON.stringify(simulation) : callText(simulation);
  return { text, exitStatus: simulation.status === 'OK' ? 0 : EXIT.check };
}

async function simulated(
  target: AlkaneId,
  inputs: readonly bigint[],
  { db, rpc, incoming = [], height, transaction }: CallOptions,
): Promise<SimulationJson> {
  const around = transaction === undefined ? undefined : transactionIn(transaction);
  if (db !== undefined && rpc === undefined) {
    return onDatabase(db, height, { message: { target, inputs, protostone: 0 }, incoming, transaction: around });
  }
  if (rpc !== undefined && db === undefined) {
    const answer = await askRpc(rpc, 'warpshrew_simulate', [
      {
        target: formatId(target),
        inputs: inputs.map(String),
        incoming: Object.fromEntries(incoming.map(({ id, amount }) => [formatId(id), amount.toString()])),
        ...(height !== undefined && { height }),
        ...(around !== undefined && { transaction: toHex(around) }),
      },
    ]);
    if (isSimulation(answer)) return answer;
    throw new EnvironmentError('ENV_RPC_FAILED', 'the answer of the JSON-RPC server is no simulation', {
      facts: { address: rpc },
      hint: 'Ask a server of this version.',
    });
  }
  throw new UsageError('USAGE_CALL_FROM', 'a call runs on one state', {
    hint: 'Give --db DIR for a database that no other process has open, or --rpc URL for a running server.',
  });
}

/** A server of this version gives what its documentation says. */
function isSimulation(answer: unknown): answer is SimulationJson {
  if (typeof answer !== 'object' || answer === null) return false;
  const lists = ['messages', 'storage', 'balances', 'created', 'sheets'];
  return lists.every((name) => Array.isArray(Reflect.get(answer, name))) && 'status' in answer;
}

async function onDatabase(
  db: string,
  wanted: number | undefined,
  request: Pick<SimulationRequest, 'message' | 'incoming' | 'transaction'>,
): Promise<SimulationJson> {
  const store = await Store.openRecorded(db, { readOnly: true });
  try {
    const tip = store.tip()?.height;
    const height = wanted ?? tip;
    if (height === undefined || tip === undefined || height > tip || store.blockHash(height) === undefined) {
      throw new UsageError('USAGE_HEIGHT_NOT_INDEXED', 'the database has no block of that height', {
        facts: { ...(wanted !== undefined && { height: wanted }), ...(tip !== undefined && { tip }) },
      });
    }
    store.assertKept(height);
    const views = openLaneViews(store);
    try {
      return simulationJson(await views.run('simulate', { ...request, height, block: undefined }, ''));
    } finally {
      await views.close();
    }
  } finally {
    await store.close();
  }
}

function transactionIn(path: string): Uint8Array {
  const bytes = readInputFile(path, MAX_FILE);
  const text = Buffer.from(bytes).toString('latin1').trim();
  if (!/^(0x)?[0-9a-fA-F\s]+$/.test(text)) return bytes;
  try {
    return fromHex(text.replace(/\s+/g, ''));
  } catch (cause) {
    throw new InputError('TX_BAD_HEX', 'the transaction is not whole bytes of hex', { facts: { path }, cause });
  }
}
