import { describe, expect, it } from 'vitest';
import { IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import type { LaneOutcome, MessageReceipt, Receipt } from '../../src/lane/types.js';
import type { Rerun } from '../../src/simulate/rerun.js';
import type { Store } from '../../src/store/store.js';
import { keyText } from '../../src/trace/key-text.js';
import { receiptJson } from '../../src/trace/receipt-json.js';
import { type RunAgain, traceOf } from '../../src/trace/trace.js';
import { traceText } from '../../src/trace/trace-text.js';
import { ACTOR, makeCall, put } from '../lane/calls/actor.js';
import { call, World } from '../lane/world.js';
import { bundledBlocks, openReplayed } from './replayed.js';

const NO_WAITS = { after: [], afterTotal: 0, complete: true };
const RUN: Rerun = {
  messages: [],
  changes: { storage: [], balances: [], created: [], sequence: null, sheets: [] },
  steps: [],
  stepTotal: 0,
};
const blockAt = (height: number): Uint8Array => {
  for (const block of bundledBlocks(height)) if (block.height === height) return block.raw;
  throw new Error('no such block');
};
const again = (block: Uint8Array | undefined): RunAgain => ({ block: async () => block, run: async () => RUN });

describe('a trace', () => {
  const HEIGHT = 112;
  const last = (store: Store): Receipt => [...store.receipts(HEIGHT)].at(-1) as Receipt;

  it('is the receipt, why the transaction waited, and what its run tells', async () => {
    const store = await openReplayed(HEIGHT);
    const receipt = last(store);
    const { txid } = receipt;
    expect(await traceOf(store, txid)).toMatchObject({ ...receiptJson(receipt), run: null });
    expect((await traceOf(store, txid, again(blockAt(HEIGHT)))).run).toBe(RUN);
  });

  it('of an unknown transaction, or without the right block, is an error with its own code', async () => {
    const store = await openReplayed(HEIGHT);
    const { txid } = last(store);
    await expect(traceOf(store, '00'.repeat(32))).rejects.toMatchObject({ code: 'STORE_NO_RECEIPT' });
    for (const block of [undefined, new Uint8Array(0), blockAt(HEIGHT - 1)]) {
      await expect(traceOf(store, txid, again(block))).rejects.toMatchObject({
        code: 'STORE_NO_BLOCK_BYTES',
        facts: { height: HEIGHT },
      });
    }
  });

  it('with steps of a state that is no longer kept is refused before anything runs', async () => {
    const store = await openReplayed(HEIGHT);
    const pruned = Object.assign(Object.create(store) as Store, {
      lowestHistory: () => HEIGHT,
      receipt: (txid: string) => store.receipt(txid),
      receipts: (height: number, from?: number) => store.receipts(height, from),
      blockHash: (height: number) => store.blockHash(height),
    });
    const { txid } = last(store);
    const refuse: RunAgain = {
      block: () => Promise.reject(new Error('asked for a block')),
      run: () => Promise.reject(new Error('ran')),
    };
    await expect(traceOf(pruned, txid, refuse)).rejects.toMatchObject({ code: 'STORE_HISTORY_PRUNED' });
    expect((await traceOf(pruned, txid)).txid).toBe(txid);
  });

  it('of a block that is undone meanwhile is no trace', async () => {
    const store = await openReplayed(HEIGHT);
    const { txid } = last(store);
    let asked = 0;
    const changing = Object.assign(Object.create(store) as Store, {
      receipt: (of: string) => store.receipt(of),
      receipts: (height: number, from?: number) => store.receipts(height, from),
      blockHash: () => new Uint8Array(32).fill(asked++),
    });
    await expect(traceOf(changing, txid)).rejects.toMatchObject({ code: 'STORE_REORG_UNDER_WAY' });
  });
});

describe('a trace as text', () => {
  const textOf = (outcome: LaneOutcome, over: Partial<MessageReceipt> = {}, run: Rerun | null = null): string => {
    const [first, ...others] = outcome.messages;
    const receipt = makeReceipt(9, { ...outcome, messages: [{ ...first, ...over }, ...others] }, IN_TURN);
    return traceText({ ...receiptJson(receipt), waits: NO_WAITS, run });
  };

  it('indents calls by their depth, in call order', () => {
    const world = new World();
    const a = world.deploy(ACTOR);
    const b = world.deploy(ACTOR);
    const inner = makeCall('staticcall', a, [put(1, 1)]);
    const text = textOf(world.message(call(a, ...makeCall('call', b, [inner]), ...makeCall('delegatecall', b, []))));
    const calls = text.split('\n').filter((line) => / opcode |delegatecall/.test(line));
    expect(calls).toEqual([
      expect.stringMatching(/^ {4}1 call 2:2 opcode 3: OK, fuel \d+, 0 assets in, 0 assets out, \d+ bytes back$/),
      expect.stringMatching(/^ {6}2 staticcall 2:1 opcode 1: OK, fuel \d+, /),
      expect.stringMatching(/^ {4}3 delegatecall 2:2: OK, fuel \d+, /),
    ]);
  });

  it('lets no control character of a contract through', () => {
    const world = new World();
    const outcome = world.message(call(world.deploy(), 4, 1));
    const hostile = '\u001b[31m\r\n\u0000\u0085\u202e\u2028end';
    const logs = [{ frame: 0, data: Buffer.from(hostile).toString('hex'), bytes: 21 }];
    const text = textOf(outcome, { abort: hostile, logs, logTotal: 3 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/);
    expect(text).toContain('abort: \\u{1b}[31m\\u{d}\\u{a}\\u{0}\\u{85}\\u{202e}\\u{2028}end\n');
    expect(text.split('\n').filter((line) => /end|2 more/.test(line)).length).toBe(3);
  });

  it('names keys for people, and gives what is none as it is', () => {
    const hex = (...parts: (string | number[])[]): string =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)))).toString(
        'hex',
      );
    const id = (block: number, tx: number): number[] => {
      const bytes = new Array<number>(32).fill(0);
      bytes[0] = block;
      bytes[16] = tx;
      return bytes;
    };
    expect(keyText(hex('sequence'))).toBe('sequence');
    expect(keyText(hex('code/', id(2, 7)))).toBe('code 2:7');
    expect(keyText(hex('balance/', id(2, 7), id(4, 1)))).toBe('balance of 4:1 in 2:7');
    expect(keyText(hex('store/', id(2, 7), '/', 'cap'))).toBe('storage of 2:7: 0x636170 "cap"');
    expect(keyText(hex('store/', id(2, 7), '/', [0x2f, 1]))).toBe('storage of 2:7: 0x2f01');
    const txid = Array.from({ length: 32 }, (_, i) => i);
    const shown = Buffer.from([...txid].reverse()).toString('hex');
    expect(keyText(hex('sheet/', txid, [3, 1, 0, 0]))).toBe(`sheet ${shown}:259`);
    for (const odd of [hex('sheet/', [1]), hex('other'), hex('code/'), '', hex('sequence/')]) {
      expect(keyText(odd)).toBe(`0x${odd}`);
    }
  });
});
