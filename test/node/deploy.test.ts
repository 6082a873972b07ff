import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { deployCommand, sendCommand } from '../../src/cli/sending.js';
import { describeTransaction } from '../../src/protocol/describe.js';
import { fromHex } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';
import { installNode, RegtestNode } from './regtest-node.js';

const MINT = join(ROOT, 'dist/wasm/programs/mint.wasm');
const KEY = '01'.repeat(32);
const installed = installNode();
if (!installed) process.stderr.write('deploying to a real node is skipped: no Bitcoin node can be installed here\n');

describe.skipIf(!installed)('a real node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-deploy-'));
  const key = join(folder, 'key');
  let node: RegtestNode;

  beforeAll(async () => {
    node = await RegtestNode.start(join(folder, 'node'));
    writeFileSync(key, `tr(${KEY})`);
  });
  afterAll(async () => {
    await node.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes what deploy and send sign with a key and with its own wallet', async () => {
    const access = { nodeUrl: node.url, auth: 'u:p', mine: true, json: true, feeRate: 2_000n };
    const withKey = { ...access, key };
    const empty: unknown = await sendCommand({ block: 2n, tx: 1n }, [77n], withKey).catch((error: unknown) => error);
    expect(empty).toMatchObject({ code: 'WALLET_NO_FUNDS' });
    const { address } = (empty as { facts: { address: string } }).facts;
    await node.rpc('generatetoaddress', 103, address);

    expect(
      await programOf(await deployCommand(MINT, [0n, 10n, 5n], { ...withKey, plan: join(folder, 'a.json') })),
    ).toBe(true);
    expect((await sendCommand({ block: 2n, tx: 1n }, [77n], withKey)).exitStatus).toBe(0);
    // Rewards, a commit, a reveal and a message.
    expect(await node.rpc('getblockcount')).toBe(106);

    await node.rpc('createwallet', 'dev');
    const other = await fetch(`${node.url}/wallet/dev`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` },
      body: JSON.stringify({ method: 'getnewaddress', params: [] }),
    });
    const { result } = (await other.json()) as { result: string };
    await node.rpc('generatetoaddress', 1, result);
    await node.rpc('generatetoaddress', 100, address);
    const withWallet = { ...access, wallet: 'dev', plan: join(folder, 'b.json') };
    expect(await programOf(await deployCommand(MINT, [0n, 10n, 5n], withWallet))).toBe(true);
  });

  /** Whether the last block of the chain holds the program that was deployed. */
  async function programOf({ text }: { readonly text: string }): Promise<boolean> {
    const { steps } = JSON.parse(text) as { readonly steps: readonly { readonly txid: string }[] };
    const raw = await node.rpc<string>('getblock', await node.rpc('getbestblockhash'), 0);
    const { txid, witness } = describeTransaction(parseBlock(fromHex(raw)).transactions[1]);
    return txid === steps[1].txid && witness?.gunzip === readFileSync(MINT).toString('hex');
  }
});
