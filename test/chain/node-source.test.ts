import { describe, expect, it, onTestFinished } from 'vitest';
import { MAX_BLOCK_LENGTH } from '../../src/bitcoin/limits.js';
import type { Notifier } from '../../src/chain/changes.js';
import { patienceWith } from '../../src/chain/node-errors.js';
import { NodeRpc } from '../../src/chain/node-rpc.js';
import { NodeSource, type NodeSourceOptions } from '../../src/chain/node-source.js';
import type { ChainBlock } from '../../src/chain/source.js';
import { fromHex, toDisplayHash, toHex } from '../../src/util/bytes.js';
import { branch } from './blocks.js';
import { still } from './clock.js';
import { errorOf, isPassing } from './errors.js';
import { drop, FakeNode, fail, hang } from './fake-node.js';

const TIP = 40;
const main = branch(TIP);
/** Shares the blocks up to height 10. */
const other = branch(TIP + 2, 'other', 10);
const never = new AbortController().signal;

async function open(options: NodeSourceOptions = {}, rpcOptions: { attempts?: number } = {}) {
  const node = await FakeNode.start(main);
  const source = new NodeSource(new NodeRpc({ url: node.url, clock: still(), ...rpcOptions }), options);
  onTestFinished(() => source.close());
  return { node, source };
}

async function collect(blocks: AsyncIterable<ChainBlock>): Promise<ChainBlock[]> {
  const all: ChainBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all;
}

const heights = (blocks: readonly ChainBlock[]): number[] => blocks.map(({ height }) => height);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('what a node says of itself', () => {
  it('is its network, tip and pruning', async () => {
    const { node, source } = await open();
    expect(await source.info()).toEqual({
      network: 'regtest',
      magic: fromHex('fabfb5da'),
      tip: { height: TIP, hash: main[TIP].hash },
      headers: TIP,
      initialBlockDownload: false,
      pruneHeight: undefined,
    });
    node.info = { chain: 'main', initialblockdownload: true, pruned: true, pruneheight: 7, headers: 99 };
    const facts = { network: 'mainnet', initialBlockDownload: true, pruneHeight: 7, headers: 99 };
    expect(await source.info()).toMatchObject(facts);
    // The default signet's challenge gives its well-known magic (BIP325).
    const challenge =
      '512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430' +
      '210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae';
    node.info = { chain: 'signet', signet_challenge: challenge };
    expect(toHex((await source.info()).magic)).toBe('0a03cf40');
  });

  it.each([{ chain: 'doge' }, { blocks: -1 }, { bestblockhash: 'x' }, { chain: 'signet', signet_challenge: 'zz' }])(
    'is refused if it makes no sense: %j',
    async (info) => {
      const { node, source } = await open();
      node.info = info;
      expect((await errorOf(source.info())).code).toBe('NODE_BAD_RESPONSE');
    },
  );

  it('is which block has a height', async () => {
    const { node, source } = await open();
    expect(await source.genesis()).toEqual(main[0].hash);
    expect(await source.hashAt(TIP)).toEqual(main[TIP].hash);
    expect(await source.hashAt(TIP + 1)).toBeUndefined();
    expect(await source.tip()).toEqual({ height: TIP, hash: main[TIP].hash });
    node.prank = fail(-32603, 'internal');
    expect((await errorOf(source.hashAt(1))).code).toBe('NODE_RPC_ERROR');
  });
});

describe('the blocks of a node', () => {
  it('come in order and whole, up to the last one there is', async () => {
    const { source } = await open();
    const blocks = await collect(source.blocks(3, TIP + 100, never));
    expect(heights(blocks)).toEqual(range(3, TIP));
    for (const { height, hash, raw } of blocks) {
      expect([toDisplayHash(hash), toHex(raw)]).toEqual([toDisplayHash(main[height].hash), toHex(main[height].raw)]);
    }
    expect(heights(await collect(source.blocks(5, 5, never)))).toEqual([5]);
    expect(await collect(source.blocks(TIP + 1, TIP + 9, never))).toEqual([]);
    expect(await collect(source.blocks(5, 4, never))).toEqual([]);
  });

  it('are fetched ahead, a few at a time', async () => {
    const { node, source } = await open({ concurrency: 3 });
    node.delayMs = 10;
    expect((await collect(source.blocks(0, TIP, never))).length).toBe(TIP + 1);
    expect(node.mostRunning).toBeLessThanOrEqual(4); // the hashes are asked for beside them
    expect(node.mostRunning).toBeGreaterThanOrEqual(3);
  });

  it('wait within the bound of bytes while nobody takes them', async () => {
    // Room for one block on its way, beside what a few small blocks take.
    const { node, source } = await open({ maxBytes: 3 * MAX_BLOCK_LENGTH + 1000 });
    const blocks = source.blocks(0, TIP, never);
    await blocks.next();
    const fetched = (): number => node.requests.filter(({ body }) => body.includes('"getblock"')).length;
    let before = -1;
    while (fetched() !== before) {
      before = fetched();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(fetched()).toBeLessThan(8);
    expect(heights(await collect(blocks))).toEqual(range(1, TIP));
  });

  it('wait within the bound of their number', async () => {
    const { node, source } = await open({ maxBlocks: 3 });
    const blocks = source.blocks(0, TIP, never);
    await blocks.next();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const fetched = node.requests.filter(({ body }) => body.includes('"getblock"')).length;
    expect(fetched).toBeGreaterThan(1);
    expect(fetched).toBeLessThanOrEqual(4);
    expect(heights(await collect(blocks))).toEqual(range(1, TIP));
  });

  it('end where one does not build on the one before: the chain changed', async () => {
    const { node, source } = await open();
    // Hashes of both chains: as if it had changed between two batches.
    node.serve(other);
    node.blocks = [...main.slice(0, 21), ...other.slice(21)];
    expect(heights(await collect(source.blocks(0, TIP, never)))).toEqual(range(0, 20));
    node.serve(other);
    expect(heights(await collect(source.blocks(11, TIP + 9, never)))).toEqual(range(11, TIP + 2));
  });

  it('are refused if they are not those that were asked for', async () => {
    const { node, source } = await open();
    node.known.set(toDisplayHash(main[9].hash), main[8]);
    const blocks = source.blocks(7, TIP, never);
    expect([(await blocks.next()).value?.height, (await blocks.next()).value?.height]).toEqual([7, 8]);
    const error = await errorOf(blocks.next());
    expect([error.code, error.facts.height, isPassing(error)]).toEqual(['NODE_WRONG_BLOCK', 9, true]);
    node.known.set(toDisplayHash(main[9].hash), { raw: main[9].raw.subarray(0, 80) });
    expect((await errorOf(collect(source.blocks(9, 9, never)))).code).toBe('NODE_WRONG_BLOCK');
    node.known.set(toDisplayHash(main[9].hash), { raw: new Uint8Array(MAX_BLOCK_LENGTH + 1) });
    expect((await errorOf(collect(source.blocks(9, 9, never)))).code).toBe('NODE_WRONG_BLOCK');
    node.known.set(toDisplayHash(main[9].hash), { raw: new Uint8Array(MAX_BLOCK_LENGTH + 5000) });
    expect((await errorOf(collect(source.blocks(9, 9, never)))).code).toBe('NODE_BAD_RESPONSE');
    node.prank = ({ response, body }) => {
      if (!body.includes('"getblock"')) return false;
      response.end(JSON.stringify({ result: `${toHex(main[9].raw)}zz`, error: null }));
      return true;
    };
    expect((await errorOf(collect(source.blocks(9, 9, never)))).code).toBe('NODE_BAD_RESPONSE');
  });

  it('that the node has deleted end in an error that says so, behind those before', async () => {
    const { node, source } = await open();
    node.pruned.add(toDisplayHash(main[5].hash));
    const seen: number[] = [];
    const error = await errorOf(
      (async () => {
        for await (const { height } of source.blocks(3, TIP, never)) seen.push(height);
      })(),
    );
    expect([error.code, seen, isPassing(error)]).toEqual(['NODE_BLOCK_PRUNED', [3, 4], false]);
    expect(error.hint).toContain('pruned');
  });

  it('that a node calls pruned without having had them are waited for', async () => {
    const { node, source } = await open();
    node.pruned.add(toDisplayHash(main[5].hash));
    node.info = { pruned: true, pruneheight: 5 };
    const error = await errorOf(collect(source.blocks(3, TIP, never)));
    expect([error.code, error.facts.pruneHeight, isPassing(error)]).toEqual(['NODE_BLOCK_MISSING', 5, true]);
    node.info = { pruned: true, pruneheight: 6 };
    expect((await errorOf(collect(source.blocks(3, TIP, never)))).code).toBe('NODE_BLOCK_PRUNED');
  });

  it('and their hashes that are null may come', async () => {
    const { node, source } = await open({}, { attempts: 1 });
    node.prank = ({ response, body }) => {
      const calls: unknown = JSON.parse(body);
      const one = (id: unknown) => ({ id, result: null, error: null });
      response.end(JSON.stringify(Array.isArray(calls) ? calls.map(({ id }: { id: unknown }) => one(id)) : one(0)));
      return true;
    };
    for (const asked of [source.tip(), source.hashAt(3), collect(source.blocks(3, 4, never)), source.genesis()]) {
      const error = await errorOf(asked);
      expect([error.code, patienceWith(error, 7)]).toEqual(['NODE_BAD_RESPONSE', 7]);
    }
  });

  it('that the node has forgotten end in an error that passes', async () => {
    const { node, source } = await open();
    node.forgotten.add(toDisplayHash(main[5].hash));
    const seen: number[] = [];
    const error = await errorOf(
      (async () => {
        for await (const { height } of source.blocks(3, TIP, never)) seen.push(height);
      })(),
    );
    expect([error.code, seen, isPassing(error)]).toEqual(['NODE_BLOCK_MISSING', [3, 4], true]);
    expect(error.hint).toContain('crash');
  });

  it('survive a node that is killed and comes back meanwhile', async () => {
    const { node, source } = await open();
    node.pranks.push(drop, () => false, drop, fail(-28, 'Verifying blocks'), drop);
    expect(heights(await collect(source.blocks(0, TIP, never)))).toEqual(range(0, TIP));
  });

  it('end with an error if the node stays away', async () => {
    const { node, source } = await open({}, { attempts: 2 });
    const blocks = source.blocks(0, TIP, never);
    await blocks.next();
    node.prank = drop;
    const error = await errorOf(collect(blocks));
    expect([error.code, isPassing(error)]).toEqual(['NODE_UNREACHABLE', true]);
    expect((await errorOf(collect(source.blocks(0, 1, never)))).code).toBe('NODE_UNREACHABLE');
  });

  it('end at once when aborted, and when nobody wants more', async () => {
    const { node, source } = await open();
    for (const from of ['hashes', 'blocks'] as const) {
      const abort = new AbortController();
      const before = node.requests.length;
      const method = from === 'hashes' ? 'getblockhash' : '"getblock"';
      node.prank = (exchange) => exchange.body.includes(method) && hang(exchange);
      const next = source.blocks(0, TIP, abort.signal).next();
      await expect.poll(() => node.requests.length).toBeGreaterThan(before + (from === 'hashes' ? 0 : 1));
      abort.abort();
      expect(await next).toEqual({ value: undefined, done: true });
      expect(await collect(source.blocks(0, TIP, abort.signal))).toEqual([]);
    }
    node.prank = undefined;
    for await (const { height } of source.blocks(0, TIP, never)) if (height === 3) break;
    // Every place at the node is free again.
    expect(await Promise.all(range(0, 9).map((height) => source.hashAt(height)))).toEqual(
      main.slice(0, 10).map(({ hash }) => hash),
    );
  });
});

describe('a change', () => {
  class Bell implements Notifier {
    connected = true;
    notifications = 0;
    private wake: () => void = () => undefined;
    ring(): void {
      this.notifications++;
      this.wake();
    }
    next(signal: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  it('is noticed by polling', async () => {
    const { node, source } = await open({ pollMs: 5 });
    await source.tip();
    const changed = source.changed(60_000, never);
    await expect.poll(() => node.requests.length).toBeGreaterThan(3);
    node.serve(other);
    await changed;
    // Told already: the next wait lasts as long as it may.
    await source.tip();
    await source.changed(30, never);
  });

  it('is noticed by notification, even if it came before anybody waited', async () => {
    const notifier = new Bell();
    const { node, source } = await open({ pollMs: 60_000, safetyMs: 60_000, notifier });
    await source.tip();
    const changed = source.changed(60_000, never);
    notifier.ring();
    await changed;
    await source.changed(60_000, never);
    await source.tip();
    notifier.ring();
    await source.changed(60_000, never);
    expect(node.requests.length).toBe(2);
  });

  it('is noticed by polling where notifications are lost', async () => {
    const notifier = new Bell();
    const { node, source } = await open({ pollMs: 60_000, safetyMs: 5, notifier });
    await source.tip();
    node.serve(other);
    await source.changed(60_000, never);
    notifier.connected = false;
    const quick = new NodeSource(source.rpc, { pollMs: 5, safetyMs: 60_000, notifier });
    await quick.tip();
    node.serve(main);
    await quick.changed(60_000, never);
  });

  it('is waited for no longer than asked, nor than until aborted, nor does a failing node end it', async () => {
    const { node, source } = await open({ pollMs: 5 }, { attempts: 1 });
    await source.tip();
    node.prank = drop;
    await source.changed(40, never);
    expect(node.requests.length).toBeGreaterThan(1);
    node.prank = hang;
    await source.changed(40, never);
    const abort = new AbortController();
    const changed = source.changed(60_000, abort.signal);
    abort.abort();
    await changed;
    await source.changed(60_000, abort.signal);
  });
});
