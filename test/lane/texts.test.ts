// What contracts say: texts of `__log` and `abort` in receipts.
import { describe, expect, it } from 'vitest';
import { IN_TURN, makeReceipt, withinReceipt } from '../../src/lane/receipt.js';
import { decodeReceipt, encodeReceipt, hasTexts, setExecution } from '../../src/lane/receipt-bytes.js';
import { RECEIPT_ABORT_BYTES, RECEIPT_LOG_BYTES, RECEIPT_LOGS } from '../../src/lane/texts.js';
import type { LaneOutcome, LogReceipt, MessageReceipt } from '../../src/lane/types.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { toHex } from '../../src/util/bytes.js';
import { ACTOR, makeCall, put } from './calls/actor.js';
import { place } from './calls/by-hand.js';
import { abortsWith, logging, says } from './saying.js';
import { call, makeTx, World } from './world.js';

const hexOf = (text: string): string => toHex(new TextEncoder().encode(text));

function messagesOf(outcome: LaneOutcome): readonly MessageReceipt[] {
  const receipt = makeReceipt(9, outcome, IN_TURN);
  const bytes = encodeReceipt(receipt);
  expect(decodeReceipt(bytes)).toStrictEqual(receipt);
  expect(hasTexts(bytes)).toBe(receipt.messages.some(({ abort, logTotal }) => abort !== undefined || logTotal > 0));
  return receipt.messages;
}

function outcomeOf(wasm: Uint8Array): MessageReceipt {
  const world = new World();
  place(world, '2:9', wasm);
  return messagesOf(world.message(call('2:9', 0)))[0];
}

describe('texts of __log', () => {
  it('reach the receipt in their order, whatever bytes they are', () => {
    const message = outcomeOf(says(['one', '', new Uint8Array([0xff, 0, 0x1b])]));
    expect(message).toMatchObject({ status: 'OK', abort: undefined, logTotal: 3 });
    expect(message.logs).toEqual([
      { frame: 0, data: hexOf('one'), bytes: 3 },
      { frame: 0, data: '', bytes: 0 },
      { frame: 0, data: 'ff001b', bytes: 3 },
    ]);
  });

  it('are there for a message that failed, with what it gave to abort', () => {
    const message = outcomeOf(
      abortsWith({ logs: ['before'], message: 'no such pool', file: 'pool.ts', line: 12, column: 5 }),
    );
    expect(message).toMatchObject({
      status: 'REVERT',
      error: 'abort',
      abort: 'no such pool (pool.ts:12:5)',
      logTotal: 1,
    });
  });

  it('of a transaction that was undone are gone', () => {
    const world = new World();
    place(world, '2:9', says(['x']));
    const edicts = [{ id: { block: 0n, tx: 5n }, amount: 1n, output: 0n }];
    const [undone] = world.run(makeTx({ protostones: [{ pointer: 0, refund: 0, message: call('2:9', 0), edicts }] }));
    expect(undone.messages).toEqual([]);
  });

  it('name the frame that gave them', () => {
    const world = new World();
    const a = world.deploy(ACTOR);
    place(world, '2:9', says(['inner']));
    const quietThenSaying = [makeCall('call', a, [put(1, 1)]), makeCall('staticcall', '2:9', [])];
    const [message] = messagesOf(world.message(call(a, ...quietThenSaying.flat())));
    expect(message.calls.map(({ target }) => target)).toEqual([a, '2:9']);
    expect(message.logs).toEqual([{ frame: 2, data: hexOf('inner'), bytes: 5 }]);
  });

  it(`of which a receipt keeps the first ${RECEIPT_LOGS} and ${RECEIPT_LOG_BYTES} bytes, of all its messages`, () => {
    const world = new World();
    place(world, '2:9', logging(40, 100));
    const message = { pointer: 0, refund: 0, message: call('2:9', 0) };
    const [outcome] = world.run(makeTx({ protostones: [message, message] }));
    const [first, second] = messagesOf(outcome);
    expect([first.logTotal, second.logTotal]).toEqual([40, 40]);
    expect([first.logs.length, second.logs.length]).toEqual([40, RECEIPT_LOGS - 40]);
    const kept = (logs: readonly LogReceipt[]): number => logs.reduce((sum, { data }) => sum + data.length / 2, 0);
    expect([kept(first.logs), kept(second.logs)]).toEqual([4_000, RECEIPT_LOG_BYTES - 4_000]);
    expect(second.logs[0]).toMatchObject({ bytes: 100, data: '2e'.repeat(96) });
    expect(encodeReceipt(makeReceipt(9, outcome, IN_TURN)).length).toBeLessThan(6_000);
  });

  it('are not kept beyond a limit while a message runs', () => {
    const message = outcomeOf(logging(5_000, 3));
    expect([message.logTotal, message.logs.length]).toEqual([5_000, RECEIPT_LOGS]);
    const long = outcomeOf(logging(2, 60_000));
    expect(long.logs.map(({ bytes, data }) => [bytes, data.length / 2])).toEqual([
      [60_000, RECEIPT_LOG_BYTES],
      [60_000, 0],
    ]);
  });

  it('with a bad pointer revert and leave nothing', () => {
    expect(outcomeOf(says([], 65_537))).toMatchObject({ status: 'REVERT', error: 'bad-pointer', logTotal: 0 });
  });
});

describe('texts of abort', () => {
  const aborting = (given: Parameters<typeof abortsWith>[0]): string | undefined => outcomeOf(abortsWith(given)).abort;

  it('are the message and the place in the sources, as far as they are given', () => {
    expect(aborting({ message: 'héllo €' })).toBe('héllo €');
    expect(aborting({ file: 'a.ts', line: 3, column: 4 })).toBe('(a.ts:3:4)');
    expect(aborting({ file: 'a.ts', line: -1, column: 0 })).toBe('(a.ts:4294967295:0)');
    expect(aborting({})).toBeUndefined();
    expect(aborting({ message: '' })).toBeUndefined();
  });

  it('are cut, and well-formed whatever their bytes are', () => {
    expect(aborting({ message: 'm'.repeat(128) })).toBe('m'.repeat(128));
    expect(aborting({ message: 'm'.repeat(129), file: 'f'.repeat(65) })).toBe(
      `${'m'.repeat(128)}… (${'f'.repeat(64)}…:0:0)`,
    );
    expect(aborting({ message: `${'m'.repeat(127)}😀` })).toBe(`${'m'.repeat(127)}\ufffd…`);
    expect(aborting({ message: '\ud800x😀' })).toBe('\ufffdx😀');
  });

  it('are none where a pointer is bad: abort reads nothing, and ends with REVERT all the same', () => {
    for (const pointer of [1, 3, 65_533, 65_536, 2 ** 31, -1]) {
      const message = outcomeOf(abortsWith({ pointer }));
      expect(message).toMatchObject({ status: 'REVERT', error: 'abort', abort: undefined });
    }
  });

  it('of a call are those of its message', () => {
    const world = new World();
    const a = world.deploy(ACTOR);
    place(world, '2:9', abortsWith({ message: 'inside' }));
    const [message] = messagesOf(world.message(call(a, ...makeCall('call', '2:9', []))));
    expect(message).toMatchObject({ status: 'REVERT', error: 'abort', abort: 'inside', callTotal: 1 });
  });

  it('cost what an abort without them costs', () => {
    const used = (given: Parameters<typeof abortsWith>[0]): number => {
      const wasm = abortsWith(given);
      return outcomeOf(wasm).fuelUsed - prepareProgram(wasm).entryFuel;
    };
    expect(used({ message: 'm'.repeat(100) })).toBe(used({ message: '' }));
  });

  it('of many messages stay within a limit', () => {
    const world = new World();
    place(world, '2:9', abortsWith({ message: 'm'.repeat(128) }));
    const message = { pointer: 0, refund: 0, message: call('2:9', 0) };
    const [outcome] = world.run(makeTx({ padding: 200_000, protostones: Array.from({ length: 90 }, () => message) }));
    const kept = messagesOf(outcome).filter(({ abort }) => abort !== undefined);
    expect(kept.length).toBe(Math.floor(RECEIPT_ABORT_BYTES / 128));
  });
});

it('how a transaction was run does not change whether its receipt has texts', () => {
  const message = { abort: 'x', logs: [], logTotal: 0 } as const;
  const world = new World();
  const id = world.deploy();
  const outcome = world.message(call(id, 2, 1));
  for (const texts of [message, { ...message, abort: undefined }]) {
    const messages = outcome.messages.map((each) => withinReceipt({ ...each, ...texts }, []));
    const bytes = encodeReceipt(makeReceipt(9, { ...outcome, messages }, { ...IN_TURN, repaired: true }));
    setExecution(bytes, 0, { ...IN_TURN, predicted: true });
    expect(hasTexts(bytes)).toBe(texts.abort !== undefined);
    expect(decodeReceipt(bytes)).toMatchObject({ repaired: false, predicted: true });
  }
});
