import { expect, onTestFinished, test } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { openServed } from '../../src/cli/served.js';
import { startRpcServer } from '../../src/rpc/server.js';
import { toDisplayHash, toHex } from '../../src/util/bytes.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN } from '../helpers/cli.js';

interface Message {
  readonly data: string;
  readonly transfers?: unknown;
}
interface Answer {
  readonly result?: { readonly messages: readonly Message[] } & Record<string, unknown>;
}

/** What a receipt of a whole transaction may cut. */
const told = ({ transfers: _, ...message }: Message, kept: Message): Message => ({
  ...message,
  data: message.data.slice(0, kept.data.length),
});

test('the first transaction of each block is answered before it is mined as its receipt tells it', async () => {
  const db = await bundledDatabase();
  const served = await openServed({ db });
  const server = await startRpcServer({ host: '127.0.0.1', port: 0, backend: served.backend });
  onTestFinished(async () => {
    await server.close();
    await served.close();
  });
  const ask = async (method: string, params: unknown): Promise<Answer> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(server.url, { method: 'POST', headers, body })).json() as Promise<Answer>;
  };

  let blocks = 0;
  for (const { height, raw } of openSource(CHAIN).blocks(1)) {
    const [first] = served.backend.store.receipts(height);
    if (first === undefined) continue;
    const tx = parseBlock(raw).transactions[first.index];
    const request = { transaction: toHex(tx.raw), block: toHex(raw), height: height - 1 };
    const simulated = (await ask('warpshrew_simulate', request)).result;
    const mined = (await ask('warpshrew_getreceipt', [toDisplayHash(tx.txid)])).result;
    if (simulated === undefined || mined === undefined) throw new Error(`block ${height} is not answered`);
    const { txid, status, error, undone, fuel } = mined;
    expect(simulated).toMatchObject({ txid, status, error, undone, fuel, height: height - 1 });
    expect(simulated.messages.map((message, i) => told(message, mined.messages[i]))).toEqual(mined.messages);
    blocks++;
  }
  expect(blocks).toBeGreaterThan(40);
});
