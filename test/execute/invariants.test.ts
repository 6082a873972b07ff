import { beforeAll, describe, expect, it } from 'vitest';
import type { Transaction } from '../../src/bitcoin/types.js';
import { balanceKey, codeKey, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { refuseCall } from '../../src/program/run-stop.js';
import { NO_TEXTS } from '../../src/program/types.js';
import { parseId } from '../../src/protocol/alkane-id.js';
import { encodeSheet, Sheet } from '../../src/protocol/sheet.js';
import type { BlockRun } from '../../src/selftest/invariants/block-run.js';
import { checkInvariants, violations } from '../../src/selftest/invariants/check.js';
import { RunLog } from '../../src/selftest/invariants/run-log.js';
import { u128Bytes } from '../../src/util/bytes.js';
import { PROBE } from '../lane/world.js';
import { at, engineSays, message, OTHER, sheetOf, TOKEN, trueBlock, writing } from './true-block.js';

/** Positions of the transactions of the block. */
const [MINTS, SENDS, FAILS, UNDONE, PLAIN, CREATES, CLONES, COUNTS] = [0, 1, 2, 3, 4, 5, 6, 7];

let txs: readonly Transaction[];
let run: BlockRun;

beforeAll(async () => {
  ({ txs, run } = await trueBlock());
});

const broken = (changed: BlockRun): string[] => [
  ...new Set([...violations(changed)].map(({ invariant }) => invariant)),
];

it('a block as it truly runs breaks no invariant, and holds what the falsified ones below change', () => {
  expect([...violations(run)]).toEqual([]);
  expect(run.outcomes.map(({ undone, messages }) => undone ?? messages.map(({ status }) => status).join())).toEqual([
    'OK',
    'OK',
    'TRAP',
    'pointer out of range',
    '',
    'OK',
    'OK',
    'OK',
  ]);
});

it('the first broken invariant is thrown with its place', () => {
  const changed = at(MINTS, () => ({ index: 9 }))(run);
  expect(() => checkInvariants(changed, { seed: 's', block: 3 })).toThrow(
    expect.objectContaining({
      message: 'broken: outcomes stand in block order',
      facts: expect.objectContaining({ seed: 's', block: 3, transaction: 0 }),
    }),
  );
});

const token = () => balanceKey(TOKEN, OTHER);
const own = (position: number, vout = 0) => sheetKey(txs[position].txid, vout);
const spent = (position: number) => sheetKey(txs[position].inputs[0].prevTxid, 0);
const counter = () => [...run.outcomes[COUNTS].writes.keys()][0];
const newCode = () => codeKey(parseId('2:3'));

const ranFor = (position: number) => (run.runs as RunLog).runsOf(txs[position].raw)[0];
const manyAssets = (count: number) =>
  encodeSheet(Sheet.of(Array.from({ length: count }, (_, i) => ({ id: { block: 2n, tx: BigInt(i) }, amount: 1n }))));

/** What the runner is called with for the message of a transaction, with other fuel. */
function callOf(position: number, fuel: number): Parameters<RunLog['run']> {
  const host = {
    isDryRun: false,
    height: run.context.height,
    context: ranFor(position).context,
    transaction: txs[position].raw,
    block: run.context.block,
    storage: () => undefined,
    sequence: () => 1n,
    balance: () => new Uint8Array(0),
    declareRead: () => {},
    declareWrite: () => {},
    texts: NO_TEXTS,
    call: refuseCall,
  };
  return [prepareProgram(PROBE), host, fuel];
}

/** What is falsified, the invariant that must say so, and how. */
const FALSIFIED: [name: string, invariant: string, change: (run: BlockRun) => BlockRun][] = [
  ['an outcome is missing', 'outcomes stand in block order', (r) => ({ ...r, outcomes: r.outcomes.slice(1) })],
  [
    'two outcomes change places',
    'outcomes stand in block order',
    (r) => ({ ...r, outcomes: [r.outcomes[1], r.outcomes[0], ...r.outcomes.slice(2)] }),
  ],
  [
    'a read saw another value',
    'every value read is the state at that point',
    at(COUNTS, ({ reads }) => ({ reads: new Map(reads).set(counter(), u128Bytes(9n)) })),
  ],
  [
    'an absent key was seen with a value',
    'every value read is the state at that point',
    at(COUNTS, ({ reads }) => ({ reads: new Map(reads).set('store/none', u128Bytes(9n)) })),
  ],
  ['a spent sheet stays', 'spent sheets are deleted', writing(SENDS, (w) => w.delete(spent(SENDS)))],
  [
    'an undone transaction keeps what it spends',
    'spent sheets are deleted',
    writing(UNDONE, (w) => w.delete(spent(UNDONE))),
  ],
  [
    'an undone transaction writes a sheet',
    'an undone transaction only deletes what it spends',
    writing(UNDONE, (w) => w.set(own(UNDONE), sheetOf('2:1', 100n))),
  ],
  [
    'an undone transaction deletes what is not its own',
    'an undone transaction only deletes what it spends',
    writing(UNDONE, (w) => w.set(token(), undefined)),
  ],
  [
    'an undone transaction lists messages',
    'an undone transaction only deletes what it spends',
    at(UNDONE, () => ({ messages: run.outcomes[MINTS].messages })),
  ],
  [
    'a transaction without a message leaves its assets on an output',
    'an undone transaction only deletes what it spends',
    writing(PLAIN, (w) => w.set(own(PLAIN), sheetOf('2:1', 100n))),
  ],
  [
    'a sheet lies on an OP_RETURN',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(SENDS, 2), sheetOf('2:1', 1n))),
  ],
  [
    'a sheet lies on another transaction',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(MINTS), sheetOf('2:1', 1n))),
  ],
  [
    'a sheet is empty',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(SENDS, 1), new Uint8Array(0))),
  ],
  [
    'a sheet holds a zero amount',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(SENDS, 1), new Uint8Array(48))),
  ],
  [
    'a sheet is deleted that nobody spends',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(MINTS), undefined)),
  ],
  [
    'a failed message is refunded to its pointer',
    'a failed message changes nothing but its refund',
    writing(FAILS, (w) => {
      w.delete(own(FAILS, 1));
      w.set(own(FAILS), sheetOf('2:1', 100n));
    }),
  ],
  [
    'a failed message is refunded in part',
    'a failed message changes nothing but its refund',
    writing(FAILS, (w) => w.set(own(FAILS, 1), sheetOf('2:1', 99n))),
  ],
  [
    'a failed message leaves code',
    'a failed message changes nothing but its refund',
    writing(FAILS, (w) => w.set(codeKey(parseId('2:8')), Uint8Array.of(0))),
  ],
  ['a message has no receipt', 'every message has one receipt', at(MINTS, () => ({ messages: [] }))],
  [
    'a receipt names another shadow output',
    'every message has one receipt',
    message(MINTS, ({ shadowVout }) => ({ shadowVout: shadowVout + 1 })),
  ],
  ['a success has an error', 'statuses agree with their receipts', message(MINTS, () => ({ error: 'none' }))],
  ['a failure has data', 'statuses agree with their receipts', message(FAILS, () => ({ data: 'aa', dataBytes: 1 }))],
  [
    'a message for this lane is called standard',
    'statuses agree with their receipts',
    message(FAILS, () => ({ status: 'STANDARD' })),
  ],
  [
    'another contract ran than the one asked for',
    'statuses agree with their receipts',
    message(FAILS, () => ({ target: '2:1' })),
  ],
  [
    'a message held below the start of the lane',
    'statuses agree with their receipts',
    (r) => ({ ...r, context: { ...r.context, laneStartHeight: r.context.height + 1 } }),
  ],
  ['more fuel than there is', 'fuel is within bounds', message(MINTS, () => ({ fuelUsed: 200_000_000 }))],
  ['fuel below nothing', 'fuel is within bounds', message(MINTS, () => ({ fuelUsed: -1 }))],
  [
    'out of fuel with some left',
    'fuel is within bounds',
    message(FAILS, () => ({ status: 'OUT_OF_FUEL', fuelUsed: 3_499_999 })),
  ],
  ['a creation that paid nothing', 'fuel is within bounds', message(CREATES, () => ({ fuelUsed: 99_999 }))],
  [
    'fuel for what never had a contract',
    'fuel is within bounds',
    message(FAILS, () => ({ status: 'REJECTED', target: undefined, fuelUsed: 1 })),
  ],
  [
    'a second message used what the first had used',
    'fuel is within bounds',
    at(MINTS, ({ messages }) => ({
      messages: [
        { ...messages[0], fuelUsed: 2_000_000 },
        { ...messages[0], fuelUsed: 2_000_000 },
      ],
    })),
  ],
  [
    'a run was given more than was left',
    'the runs explain what is left',
    (r) => {
      const runs = new RunLog({ run: () => ranFor(FAILS).end });
      runs.run(...callOf(FAILS, 3_500_001));
      return { ...r, runs };
    },
  ],
  [
    'a message paid less than its run used',
    'the runs explain what is left',
    message(FAILS, ({ fuelUsed }) => ({ fuelUsed: fuelUsed - 1 })),
  ],
  [
    'a failed run paid more than it used',
    'the runs explain what is left',
    message(FAILS, ({ fuelUsed }) => ({ fuelUsed: fuelUsed + 1 })),
  ],
  [
    'more sheet entries than a transaction may write',
    'sheets lie on own ordinary outputs',
    writing(SENDS, (w) => w.set(own(SENDS), manyAssets(10_001))),
  ],
  [
    'two creations from one envelope',
    'code appears where a creation held',
    at(CREATES, ({ messages }) => ({ messages: [messages[0], messages[0]] })),
  ],
  [
    'a failed message keeps a write',
    'only contracts whose message held write',
    writing(FAILS, (w) => w.set(`${storagePrefix(OTHER)}a`, u128Bytes(1n))),
  ],
  [
    'a failed message keeps what it was given',
    'only contracts whose message held write',
    writing(FAILS, (w) => w.set(token(), u128Bytes(150n))),
  ],
  [
    'a balance of zero is stored',
    'only contracts whose message held write',
    writing(SENDS, (w) => w.set(token(), u128Bytes(0n))),
  ],
  [
    'an empty value is stored',
    'only contracts whose message held write',
    writing(COUNTS, (w) => w.set(counter(), new Uint8Array(0))),
  ],
  [
    'a key of no kind',
    'only contracts whose message held write',
    writing(COUNTS, (w) => w.set('shop/', u128Bytes(1n))),
  ],
  [
    'a creation takes no number',
    'sequence counts the creations that held',
    writing(CREATES, (w) => w.delete(SEQUENCE_KEY)),
  ],
  [
    'a call takes a number',
    'sequence counts the creations that held',
    writing(COUNTS, (w) => w.set(SEQUENCE_KEY, u128Bytes(9n))),
  ],
  [
    'a creation makes another id',
    'sequence counts the creations that held',
    message(CREATES, () => ({ target: '2:9' })),
  ],
  ['a creation leaves no code', 'code appears where a creation held', writing(CREATES, (w) => w.delete(newCode()))],
  [
    'code appears by a call',
    'code appears where a creation held',
    writing(COUNTS, (w) => w.set(codeKey(parseId('2:8')), Uint8Array.of(0))),
  ],
  [
    'code changes',
    'code appears where a creation held',
    (r) => ({ ...r, before: new Map([...r.before, [newCode(), Uint8Array.of(0)]]) }),
  ],
  [
    'a clone points at nothing',
    'code appears where a creation held',
    writing(CLONES, (w) => w.set(codeKey(parseId('2:4')), new Uint8Array(33).fill(1))),
  ],
  [
    'a clone holds code',
    'code appears where a creation held',
    writing(CLONES, (w) => w.set(codeKey(parseId('2:4')), Uint8Array.of(0, 1))),
  ],
  [
    'assets are made by another contract',
    'assets are conserved',
    writing(SENDS, (w) => w.set(own(SENDS), sheetOf('2:1', 121n))),
  ],
  ['assets are lost', 'assets are conserved', writing(SENDS, (w) => w.set(own(SENDS), sheetOf('2:1', 119n)))],
  ['a refund is lost', 'assets are conserved', writing(FAILS, (w) => w.delete(own(FAILS, 1)))],
  [
    'a failed message is refunded and keeps its incoming',
    'assets are conserved',
    writing(FAILS, (w) => w.set(token(), u128Bytes(150n))),
  ],
  [
    'an asset’s own contract makes more than it sent',
    'the runs explain what is left',
    writing(MINTS, (w) => w.set(own(MINTS), sheetOf('2:1', 8n))),
  ],
  [
    'a counter holds another value than the run returned',
    'the runs explain what is left',
    writing(COUNTS, (w) => w.set(counter(), u128Bytes(9n))),
  ],
  ['a write of a run is missing', 'the runs explain what is left', writing(COUNTS, (w) => w.delete(counter()))],
  [
    'a contract that held has a write that it never returned',
    'the runs explain what is left',
    writing(COUNTS, (w) => w.set(`${storagePrefix(TOKEN)}x`, u128Bytes(1n))),
  ],
  [
    'a run that trapped counts as a revert',
    'the runs explain what is left',
    message(FAILS, () => ({ status: 'REVERT' })),
  ],
  [
    'a message held without a run',
    'the runs explain what is left',
    (r) => ({ ...r, runs: new RunLog({ run: () => expect.fail() }) }),
  ],
  [
    'the block leaves a write out',
    'the writes of the block are those of its outcomes',
    engineSays(({ writes }) => ({ writes: new Map([...writes].slice(1)) })),
  ],
  [
    'the block has a write of its own',
    'the writes of the block are those of its outcomes',
    engineSays(({ writes }) => ({ writes: new Map(writes).set('store/x', u128Bytes(1n)) })),
  ],
  [
    'the block deletes what never was',
    'the writes of the block are those of its outcomes',
    engineSays(({ writes }) => ({ writes: new Map(writes).set('store/x', undefined) })),
  ],
  [
    'a counter is one too high',
    'counters count',
    engineSays(({ statistics }) => ({ statistics: { ...statistics, lane: { ...statistics.lane, trap: 2 } } })),
  ],
  [
    'a receipt is missing',
    'receipts say what the outcomes say',
    engineSays(({ receipts }) => ({ receipts: receipts.slice(1) })),
  ],
  [
    'the fuel of a receipt is another',
    'receipts say what the outcomes say',
    engineSays(({ receipts }) => ({
      receipts: receipts.map((each, i) => (i === 0 ? { ...each, fuel: each.fuel + 1 } : each)),
    })),
  ],
  [
    'a receipt hides a write',
    'receipts say what the outcomes say',
    engineSays(({ receipts }) => ({
      receipts: receipts.map((each, i) => (i === 0 ? { ...each, writeTotal: each.writeTotal - 1 } : each)),
    })),
  ],
];

describe('a falsified outcome', () => {
  it.each(FALSIFIED)('%s: "%s" fires', (_, invariant, change) => {
    expect(broken(change(run))).toContain(invariant);
  });

  it('every invariant fires for at least one of them', () => {
    const named = new Set(FALSIFIED.map(([, invariant]) => invariant));
    const all = new Set(FALSIFIED.flatMap(([, , change]) => broken(change(run))));
    expect([...all].filter((invariant) => !named.has(invariant))).toEqual([]);
  });
});
