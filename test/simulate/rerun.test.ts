import { expect, it } from 'vitest';
import type { Receipt } from '../../src/lane/types.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { HeightState } from '../../src/simulate/height-state.js';
import { type Rerun, type RerunRequest, rerun } from '../../src/simulate/rerun.js';
import { traceOf } from '../../src/trace/trace.js';
import { traceText } from '../../src/trace/trace-text.js';
import { bundledBlocks, openReplayed } from '../trace/replayed.js';

const ROOM = 1 << 30;
const LONG_MS = 600_000;
/** Transactions of a block that are traced of those that did the same: a block has hundreds of some kinds. */
const MOST_ALIKE = 4;

/** The same for transactions whose messages ran alike to the unit of fuel, over as many keys. */
function kindOf({ height, messages, readTotal, writeTotal }: Receipt): string {
  const ran = messages.map((each) => [each.target, each.status, each.error, each.fuelUsed, each.callTotal]);
  return JSON.stringify([height, ran, readTotal, writeTotal]);
}

it(
  'whatever a transaction of the bundled chain does has a trace: it runs again to its receipt, and tells its calls',
  async () => {
    const store = await openReplayed();
    const runner = new ProgramRunner();
    let messages = 0;
    const called = new Set<string>();
    const stops = new Set<string>();
    const alike = new Map<string, number>();
    for (const { height, raw } of bundledBlocks()) {
      for (const receipt of [...store.receipts(height)]) {
        const kind = kindOf(receipt);
        const before = alike.get(kind) ?? 0;
        alike.set(kind, before + 1);
        if (before >= MOST_ALIKE) continue;
        const base = { before: new HeightState(store, height - 1), chain: store, runner, answerBytes: ROOM };
        const again = {
          block: async () => raw,
          run: async (request: RerunRequest) => rerun(request, base),
        };
        const trace = await traceOf(store, receipt.txid, again);
        expect(trace).toMatchObject({ txid: receipt.txid, height, index: receipt.index });
        expect(traceText(trace)).toContain(`transaction ${receipt.index} of block ${height}`);
        const found = trace.run as Rerun;
        expectTold(receipt, found);
        messages += receipt.messages.length;
        for (const { call, stop } of found.steps) {
          called.add(call);
          if (stop !== null) stops.add(stop);
        }
      }
    }
    expect(messages).toBeGreaterThan(1_000);
    expect([...called]).toEqual(expect.arrayContaining(['abort', '__load_storage', '__load_context', '__balance']));
    expect([...called]).toEqual(
      expect.arrayContaining(['__call', '__delegatecall', '__staticcall', '__returndatacopy']),
    );
    expect(stops).toEqual(new Set(['abort', 'inner-call', 'out-of-fuel', 'call-depth', 'malformed-call']));
  },
  LONG_MS,
);

function expectTold(receipt: Receipt, { messages, steps, stepTotal }: Rerun): void {
  expect(stepTotal).toBeGreaterThanOrEqual(steps.length);
  const ok = receipt.messages.filter(({ status }) => status === 'OK');
  expect(messages.map(({ protostone }) => protostone)).toEqual(ok.map(({ protostone }) => protostone));
  for (const [i, { data, dataBytes }] of ok.entries()) {
    expect(messages[i].data.length).toBe(2 * dataBytes);
    expect(messages[i].data.startsWith(data)).toBe(true);
  }
  for (const { protostone, status, error, calls } of receipt.messages) {
    const own = steps.filter((step) => step.protostone === protostone);
    const last = own.at(-1);
    if (status === 'REVERT' && stepTotal === steps.length) expect(own.some(({ stop }) => stop !== null)).toBe(true);
    if (error === 'abort' && calls.length === 0) expect(last).toMatchObject({ call: 'abort', stop: 'abort', frame: 0 });
    // Each frame was called by a frame before it.
    for (const { frame, depth } of own) expect(frame === 0 ? depth : calls[frame - 1].depth).toBe(depth);
  }
}
