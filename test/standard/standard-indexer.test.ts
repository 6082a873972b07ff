import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { pairsDigest } from '../../src/cli/run-module.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { toHex } from '../../src/util/bytes.js';
import { block, coinbase } from '../bitcoin/builder.js';
import { cli } from '../helpers/cli.js';
import { i32, loop, OP, op } from '../helpers/wasm-builder.js';
import { OPTIONS, block as storedBlock, temporaryFolder } from '../store/helpers.js';
import { ascii, drop, GuestBuilder, list, number, unreachable } from './guest-builder.js';

const raw = Uint8Array.of(1, 2, 3);
const dir = mkdtempSync(join(tmpdir(), 'warpshrew-module-'));
afterAll(() => rmSync(dir, { recursive: true }));

async function withLane<T>(
  guest: GuestBuilder,
  use: (lane: StandardIndexer) => Promise<T>,
  limits: { blockTimeoutMs?: number; viewTimeoutMs?: number } = {},
) {
  const lane = new StandardIndexer({ moduleBytes: guest.bytes(), ...limits });
  try {
    return await use(lane);
  } finally {
    await lane.close();
  }
}

const endless = [loop(), op(OP.br, 0), op(OP.end), i32(0)];

describe('the standard indexer', () => {
  test('a block that succeeds is what the next one and the views read; one that fails leaves nothing', async () => {
    const guest = new GuestBuilder();
    const key = guest.buffer(ascii('a'));
    // The first block writes a; a block that finds it traps after writing.
    const again = [...guest.host('__get_len', key), op(OP.if), ...unreachable, op(OP.end)].map((code) =>
      code.op === OP.if ? { ...code, block: { kind: 'empty' } as const } : code,
    );
    const out = guest.buffer(new Uint8Array(3));
    guest
      .start(guest.flush('a', 'one', 'a', 'two', 'b', ''), again)
      .view('a', guest.host('__get', key, out), number(out));
    await withLane(guest, async (lane) => {
      expect(toHex(await lane.view('a', raw, 0))).toBe('000000');
      const first = await lane.runBlock(raw, 1);
      expect(first).toMatchObject({ flushes: 1, pairCount: 3, valueBytes: 3, error: undefined });
      expect([...first.pairs.keys()]).toEqual(['a', 'b']);
      const second = await lane.runBlock(raw, 2);
      expect(second).toMatchObject({ flushes: 0, valueBytes: 0, error: { code: 'MODULE_TRAPPED' } });
      expect(second.pairs.size).toBe(0);
      expect(Buffer.from(await lane.view('a', raw, 2)).toString()).toBe('two');
      await expect(lane.view('nosuch', raw, 2)).rejects.toMatchObject({ code: 'VIEW_NOT_FOUND' });
    });
  });

  test('an idle lane begins before its caller does anything else', async () => {
    const guest = new GuestBuilder();
    guest.start(guest.flush('a', 'one'));
    await withLane(guest, async (lane) => {
      await lane.runBlock(raw, 1);
      const posted = vi.spyOn(Worker.prototype, 'postMessage');
      const run = lane.runBlock(raw, 2);
      expect(posted).toHaveBeenCalledTimes(1);
      const behind = lane.runBlock(raw, 3);
      expect(posted).toHaveBeenCalledTimes(1);
      posted.mockRestore();
      expect([(await run).flushes, (await behind).flushes]).toEqual([1, 1]);
    });
  });

  test('an endless block or view ends with MODULE_TIMEOUT, and the lane goes on', async () => {
    const guest = new GuestBuilder();
    const ok = guest.buffer(ascii('ok'));
    guest
      .start([...endless, ...drop])
      .view('spin', endless)
      .view('ok', number(ok));
    await withLane(
      guest,
      async (lane) => {
        expect((await lane.runBlock(raw, 1)).error).toMatchObject({
          code: 'MODULE_TIMEOUT',
          facts: { height: 1, limitMs: 300 },
        });
        await expect(lane.view('spin', raw, 1)).rejects.toMatchObject({ code: 'MODULE_TIMEOUT' });
      },
      { blockTimeoutMs: 300, viewTimeoutMs: 300 },
    );
    await withLane(
      guest,
      async (lane) => {
        expect((await lane.runBlock(raw, 1)).error?.code).toBe('MODULE_TIMEOUT');
        expect(Buffer.from(await lane.view('ok', raw, 1)).toString()).toBe('ok');
      },
      { blockTimeoutMs: 300 },
    );
  });

  test('beside a store, a block reads the height before it and a view its own', async () => {
    const store = await Store.open(temporaryFolder(), OPTIONS);
    for (const [height, value] of ['at 0', 'at 1', 'at 2'].entries())
      await store.commitBlock(storedBlock(height, { k: value }));
    const guest = new GuestBuilder();
    const key = guest.buffer(ascii('k'));
    const out = guest.buffer(new Uint8Array(4));
    const pair = guest.buffer(list('seen', '....'));
    // The value of the pair is overwritten in place.
    guest.start(guest.host('__get', key, pair + 8), guest.host('__flush', pair));
    guest.view('k', guest.host('__get', key, out), number(out));
    const lane = new StandardIndexer({ moduleBytes: guest.bytes(), storeHandle: store.handle });
    try {
      const seen = async (height: number) =>
        Buffer.from((await lane.runBlock(raw, height)).pairs.get('seen')!).toString();
      expect([await seen(0), await seen(1), await seen(2), await seen(3)]).toEqual(['....', 'at 0', 'at 1', 'at 2']);
      const view = async (height: number) => Buffer.from(await lane.view('k', raw, height)).toString();
      expect([await view(0), await view(1), await view(9)]).toEqual(['at 0', 'at 1', 'at 2']);
    } finally {
      await lane.close();
      await store.close();
    }
  });

  test('an error of the database that a block or a view meets keeps its code, and is no defect', async () => {
    const store = await Store.open(temporaryFolder(), { ...OPTIONS, keepUndo: 2, history: 2 });
    for (let height = 0; height < 8; height++) store.commitBlock(storedBlock(height, { k: `at ${height}` }));
    const guest = new GuestBuilder();
    const key = guest.buffer(ascii('k'));
    const out = guest.buffer(new Uint8Array(4));
    guest.start(guest.host('__get', key, out), guest.flush());
    guest.view('k', guest.host('__get', key, out), number(out));
    const lane = new StandardIndexer({ moduleBytes: guest.bytes(), storeHandle: store.handle });
    try {
      const refused = { code: 'STORE_HISTORY_PRUNED', facts: { height: 1, lowest: 5 } };
      await expect(lane.view('k', raw, 1)).rejects.toMatchObject(refused);
      await expect(lane.runBlock(raw, 2)).rejects.toMatchObject(refused);
      expect(Buffer.from(await lane.view('k', raw, 7)).toString()).toBe('at 7');
    } finally {
      await lane.close();
      await store.close();
    }
  });

  test('closing refuses what is not done', async () => {
    const guest = new GuestBuilder();
    guest.start(guest.flush()).view('spin', endless);
    const lane = new StandardIndexer({ moduleBytes: guest.bytes() });
    const views = [lane.view('spin', raw, 1), lane.view('spin', raw, 1)].map((view) =>
      view.catch((error: Error) => error.message),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await lane.close();
    expect(await Promise.all(views)).toEqual(['the standard indexer is closed', 'the standard indexer is closed']);
    await expect(lane.runBlock(raw, 1)).rejects.toThrow('closed');
  });

  test('a module that is none is refused at once', () => {
    expect(() => new StandardIndexer({ moduleBytes: raw })).toThrow(
      expect.objectContaining({ code: 'MODULE_INVALID' }),
    );
    expect(StandardIndexer.hashOf(new Uint8Array(0))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });
});

describe('run-module', () => {
  function file(name: string, bytes: Uint8Array): string {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return path;
  }
  const blocks = [1, 2].map((n) => file(`${n}.bin`, block([coinbase({ script: Uint8Array.of(0x50 + n, 0) })])));
  const json = (stdout: string) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  test('the digest is SHA-256 over the pairs by key bytes, lengths before them', () => {
    expect(pairsDigest(new Map())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const pairs = new Map([
      ['\u00ff', Uint8Array.of(2)],
      ['b', new Uint8Array(0)],
      ['ab', Uint8Array.of(1)],
    ]);
    // printf '\2\0\0\0\1\0\0\0ab\1' '\1\0\0\0\0\0\0\0b' '\1\0\0\0\1\0\0\0\377\2' | sha256sum
    expect(pairsDigest(pairs)).toBe('b955b8b83bab05f0f52febc487ccb12925e6595f88ba394f41d987f593eae69a');
  });

  test('prints one line per block and view, with heights of the coinbases or from --height', async () => {
    const module = file('default.wasm', defaultIndexer());
    const run = await cli('run-module', module, ...blocks, '--view', 'tipheight:', '--view', 'nosuch:00', '--json');
    expect(run.status).toBe(1);
    const lines = json(run.stdout);
    expect(lines.map(({ height }) => height)).toEqual([1, 2, 2, 2]);
    // Per block: b, tip, t, and for one output o, s and the list's entry.
    expect(lines[0]).toMatchObject({ flushes: 1, pairs: 6, uniqueKeys: 6, error: null });
    expect(lines[0].digest).toMatch(/^[0-9a-f]{64}$/);
    expect(lines.slice(2)).toEqual([
      { view: 'tipheight', height: 2, output: '0x02000000', error: null },
      { view: 'nosuch', height: 2, output: null, error: expect.stringContaining('VIEW_NOT_FOUND') },
    ]);
    const later = await cli('run-module', module, ...blocks, '--height', '500', '--view', 'tipheight:', '--json');
    expect(later.status).toBe(0);
    expect(json(later.stdout).map(({ height }) => height)).toEqual([500, 501, 501]);
  });

  test('a block that fails is reported and the next one runs', async () => {
    const guest = new GuestBuilder();
    guest.start(unreachable);
    const run = await cli('run-module', file('trap.wasm', guest.bytes()), ...blocks, '--json');
    expect(run.status).toBe(1);
    expect(json(run.stdout)).toMatchObject([
      { error: expect.stringContaining('MODULE_TRAPPED'), digest: null, pairs: 0 },
      { digest: null },
    ]);
  });

  test('bad usage and bad files have codes', async () => {
    const module = file('default.wasm', defaultIndexer());
    const cases: [string[], string, number][] = [
      [['run-module', module, blocks[0], '--view', 'tipheight'], 'USAGE_VIEW', 2],
      [['run-module', module, blocks[0], '--view', 'tipheight:0'], 'USAGE_VIEW', 2],
      [['run-module', blocks[0], blocks[0]], 'MODULE_INVALID', 3],
      [['run-module', module, join(dir, 'missing')], 'FILE_UNREADABLE', 3],
    ];
    for (const [args, code, status] of cases) {
      const run = await cli(...args);
      expect(run.stderr).toContain(code);
      expect(run.status).toBe(status);
    }
  });
});
