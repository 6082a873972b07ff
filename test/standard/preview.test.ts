import { describe, expect, onTestFinished, test } from 'vitest';
import { parseBlock } from '../../src/bitcoin/parse-block.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { StandardModule, type ViewLimits } from '../../src/standard/module.js';
import { runPreview } from '../../src/standard/preview.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { concatBytes, toBinaryString, toHex, u32Bytes } from '../../src/util/bytes.js';
import { CHAIN } from '../helpers/cli.js';
import { expectSame } from '../helpers/same.js';
import { i32, loop, OP, op, store } from '../helpers/wasm-builder.js';
import { OPTIONS, temporaryFolder } from '../store/helpers.js';
import { collectPairs } from './collect-pairs.js';
import { ascii, drop, GuestBuilder, list, number, unreachable } from './guest-builder.js';

const MIB = 1 << 20;
const raw = Uint8Array.of(1, 2, 3);
const nothing = new Uint8Array(0);
const endless = [loop(), op(OP.br, 0), op(OP.end), i32(0)];

/** A state whose keys are names; every read is noted. */
function stateOf(values: Record<string, string>) {
  const asked: string[] = [];
  const read = (key: Uint8Array): Uint8Array | undefined => {
    const name = Buffer.from(key).toString();
    asked.push(name);
    return Object.hasOwn(values, name) ? ascii(values[name]) : undefined;
  };
  return { asked, read };
}

/** A view that answers with the value under a key, cut or filled with `.` to three bytes. */
function shownOf(guest: GuestBuilder, key: string) {
  const out = guest.buffer(ascii('...'));
  return [...guest.host('__get', guest.buffer(ascii(key)), out), i32(out)];
}

function preview(guest: GuestBuilder, name: string, state: ReturnType<typeof stateOf>, views?: ViewLimits): string {
  const module = StandardModule.load(guest.bytes(), views && { views });
  const { output } = runPreview(module, { raw, name, input: nothing, height: 7 }, state);
  return Buffer.from(output).toString();
}

describe('the view of a preview', () => {
  test('sees what the block wrote last, and beneath it the state before; the block itself sees only that', () => {
    const guest = new GuestBuilder();
    const own = guest.host('__get_len', guest.buffer(ascii('new')));
    guest.start(guest.flush('new', 'one', 'new', 'two', 'old', ''), [...own, op(OP.drop)], guest.flush('late', 'yes'));
    for (const key of ['new', 'old', 'late', 'kept', 'none']) guest.view(key, shownOf(guest, key));
    const state = stateOf({ old: 'was', kept: 'abc', late: 'no!' });
    expect(['new', 'old', 'late', 'kept', 'none'].map((key) => preview(guest, key, state))).toEqual([
      'two',
      // Empty: nothing is copied.
      '...',
      'yes',
      'abc',
      '...',
    ]);
    // The block read `new` each time, and found what was there before it.
    expect(state.asked).toEqual(['new', 'new', 'new', 'new', 'kept', 'new', 'none']);
  });

  test('gets the height of the block and its own input, the block its bytes', () => {
    const guest = new GuestBuilder();
    // The block stores what it loaded, seven bytes, under `k`.
    const flushed = guest.buffer(list('k', '1234567'));
    guest.start(guest.host('__load_input', flushed + 5), guest.host('__flush', flushed));
    const room = guest.buffer(new Uint8Array(7));
    guest.view('of the block', guest.host('__get', guest.buffer(ascii('k')), room), number(room));
    guest.view('own', guest.host('__load_input', room), number(room));
    const module = StandardModule.load(guest.bytes());
    const answers = ['of the block', 'own'].map((name) => {
      const request = { raw, name, input: Uint8Array.of(9, 8, 7), height: 0x01020304 };
      return toHex(runPreview(module, request, stateOf({})).output);
    });
    expect(answers).toEqual(['04030201010203', '04030201090807']);
  });

  test('is looked for before the block runs', () => {
    const guest = new GuestBuilder();
    guest.start(unreachable).view('ok', number(0));
    for (const name of ['nosuch', '_start', 'memory']) {
      expect(() => preview(guest, name, stateOf({}))).toThrow(expect.objectContaining({ code: 'VIEW_NOT_FOUND' }));
    }
  });
});

describe('a block of a preview that fails gives no answer', () => {
  const failing: [string, (guest: GuestBuilder) => void][] = [
    ['MODULE_TRAPPED', (guest) => guest.start(guest.flush('a', '1'), unreachable)],
    ['MODULE_NOT_FLUSHED', (guest) => guest.start([])],
    ['MODULE_BAD_FLUSH', (guest) => guest.start(guest.flush('a', '1'), guest.host('__flush', 0))],
    ['MODULE_ABORTED', (guest) => guest.start(guest.flush('a', '1'), guest.host('abort', 0, 0, 0, 0))],
  ];
  test.each(failing)('%s', (reason, build) => {
    const guest = new GuestBuilder();
    build(guest);
    guest.view('ok', number(0));
    expect(() => preview(guest, 'ok', stateOf({}))).toThrow(
      expect.objectContaining({ code: 'PREVIEW_FAILED', facts: { height: 7, reason }, hint: expect.any(String) }),
    );
  });

  test('a fault of the store is no failure of the block', () => {
    const guest = new GuestBuilder();
    guest.start(guest.host('__get_len', guest.buffer(ascii('k'))), drop, guest.flush()).view('ok', number(0));
    const read = (): never => {
      throw new TypeError('the disk');
    };
    expect(() => preview(guest, 'ok', { asked: [], read })).toThrow(TypeError);
  });
});

describe('the memory of a preview is bounded', () => {
  const LIMITS: ViewLimits = { memoryBytes: 8 * MIB, answerBytes: MIB };
  const grow = [i32(100), op(OP.memoryGrow), op(OP.drop)];
  /** Flushes a list of one element, so many bytes in all. */
  const flushOf = (guest: GuestBuilder, bytes: number, at = MIB) => [
    ...[i32(at - 4), i32(bytes), store()],
    // A field that is skipped: number 2, wire type 2, and its length in four bytes.
    ...[
      i32(at),
      i32(
        0x12 |
          ((((bytes - 5) & 0x7f) | 0x80) << 8) |
          (((((bytes - 5) >> 7) & 0x7f) | 0x80) << 16) |
          (((((bytes - 5) >> 14) & 0x7f) | 0x80) << 24),
      ),
      store(),
      i32(at + 4),
      i32((bytes - 5) >> 21),
      store(),
    ],
    ...guest.host('__flush', at),
  ];

  test('what the block writes: a quarter of what a view may have', () => {
    const most = LIMITS.memoryBytes / 4;
    for (const [flushes, fits] of [
      [[most], true],
      [[most + 1], false],
      [[most, 6], false],
    ] as const) {
      const guest = new GuestBuilder();
      guest.start(grow, ...flushes.map((bytes) => flushOf(guest, bytes))).view('ok', shownOf(guest, 'k'));
      const answer = () => preview(guest, 'ok', stateOf({}), LIMITS);
      if (fits) expect(answer()).toBe('...');
      else
        expect(answer).toThrow(
          expect.objectContaining({ code: 'VIEW_MEMORY', hint: expect.stringContaining('--view-memory') }),
        );
    }
  });

  test('also what the host holds for many short pairs', () => {
    const guest = new GuestBuilder();
    const pairs = guest.buffer(concatBytes(...Array.from({ length: 500 }, () => list('k', ''))));
    const flush = guest.host('__flush', pairs);
    guest.start(...Array.from({ length: 100 }, () => flush)).view('ok', number(0));
    // 100 x 500 x (5 + 40) bytes are above 2 MiB, and 100 x 500 x 5 bytes are not.
    expect(() => preview(guest, 'ok', stateOf({}), LIMITS)).toThrow(expect.objectContaining({ code: 'VIEW_MEMORY' }));
    expect(preview(guest, 'ok', stateOf({}), { ...LIMITS, memoryBytes: 16 * MIB })).toBe('');
  });

  test("the module's own memory", async () => {
    const guest = new GuestBuilder();
    const hungry = [loop(), i32(16), op(OP.memoryGrow), i32(-1), op(OP.i32Ne), op(OP.brIf, 0), op(OP.end)];
    guest.start(hungry, unreachable).view('ok', number(0));
    const lane = await laneWith(guest, { viewLimits: LIMITS });
    await expect(lane.preview({ raw, name: 'ok', input: nothing, height: 0 }, -1)).rejects.toMatchObject({
      code: 'VIEW_MEMORY',
      facts: { height: 0, limit: 8 * MIB },
    });
  });
});

async function laneWith(
  guest: GuestBuilder,
  options: Partial<ConstructorParameters<typeof StandardIndexer>[0]> = {},
): Promise<StandardIndexer> {
  const database = await Store.open(temporaryFolder(), OPTIONS);
  const lane = new StandardIndexer({
    moduleBytes: guest.bytes(),
    storeHandle: database.handle,
    viewThreads: 1,
    ...options,
  });
  onTestFinished(async () => {
    await lane.close();
    await database.close();
  });
  return lane;
}

test('a block or a view that never ends is ended with its thread, and the next preview is answered', async () => {
  const guest = new GuestBuilder();
  const last = guest.buffer(new Uint8Array(8));
  // A block of one byte never ends.
  const isShort = [
    ...guest.host('__host_len'),
    i32(5),
    op(OP.i32Eq),
    op(OP.if),
    loop(),
    op(OP.br, 0),
    op(OP.end),
    op(OP.end),
  ];
  const code = isShort.map((one) => (one.op === OP.if ? { ...one, block: { kind: 'empty' } as const } : one));
  guest
    .start(code, guest.flush('k', 'abc'))
    .view('k', shownOf(guest, 'k'))
    .view('spin', endless)
    .view('at', number(last));
  const lane = await laneWith(guest, { viewTimeoutMs: 500 });
  const ask = (name: string, block = raw) => lane.preview({ raw: block, name, input: nothing, height: 0 }, -1);
  await expect(ask('k', Uint8Array.of(1))).rejects.toMatchObject({ code: 'MODULE_TIMEOUT', facts: { limitMs: 500 } });
  await expect(ask('spin')).rejects.toMatchObject({ code: 'MODULE_TIMEOUT' });
  expectSame(await ask('k'), ascii('abc'));
  // Blocks are untouched by what previews leave.
  expect((await lane.runBlock(raw, 0)).pairs.size).toBe(1);
});

test('a preview of each block of the bundled chain answers as its views do once the block is stored', () => {
  const module = StandardModule.load(defaultIndexer());
  const state = new Map<string, Uint8Array>();
  const read = (key: Uint8Array): Uint8Array | undefined => state.get(toBinaryString(key));
  let different = 0;
  for (const { height, raw: block } of openSource(CHAIN).blocks()) {
    const { transactions } = parseBlock(block);
    const { txid, outputs } = transactions[transactions.length - 1];
    const asks: [string, Uint8Array][] = [
      ['tipheight', nothing],
      ['blockbyheight', u32Bytes(height)],
      ['txheight', txid],
      ['spendables', outputs[0].script],
    ];
    const before = asks.map(([name, input]) => toHex(module.runView(name, input, height, read).output));
    const previews = asks.map(([name, input]) =>
      toHex(
        runPreview(module, { raw: block, name, input, height }, { read, readMany: (keys) => keys.map(read) }).output,
      ),
    );
    const { flushes } = module.runBlock(block, height, read);
    for (const [key, value] of collectPairs(flushes)) state.set(key, value);
    const after = asks.map(([name, input]) => toHex(module.runView(name, input, height, read).output));
    expect(previews).toEqual(after);
    different += before.filter((answer, i) => answer !== after[i]).length;
  }
  expect(different).toBeGreaterThan(100);
});
