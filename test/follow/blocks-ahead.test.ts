import { expect, test } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { scanAhead } from '../../src/lane/columns/scan-ahead.js';
import { sheetKey } from '../../src/lane/keys.js';
import { BlocksAhead, type VerifiedBlock } from '../../src/pipeline/blocks-ahead.js';
import { block, coinbase, serialise } from '../bitcoin/builder.js';
import { outsideTxid } from '../bitcoin/random-block.js';

/** Outpoints 0 to 5 of outside, spent by the second transaction. */
const SPENT = [0, 1, 2, 3, 4, 5];
const key = (spent: number) => sheetKey(outsideTxid(spent), 0);
const SHEET = new Uint8Array(48);

function verified(height: number): VerifiedBlock {
  const raw = block([coinbase(), serialise({ inputs: SPENT.map((spent) => ({ prevTxid: outsideTxid(spent) })) })]);
  raw[0] = height;
  return { height, raw, block: BlockOffsets.read(raw), ahead: undefined, ms: 1 };
}

/** A reader that finds sheets on some of the outpoints. */
function reader(heldOf: readonly number[]) {
  return {
    read: async (raw: Uint8Array) => {
      const read = BlockOffsets.read(raw);
      const held = new Uint8Array(read.inputs.length);
      for (const spent of heldOf) held[spent + 1] = 1;
      return { columns: read.columns, scan: scanAhead(read), held, ms: 1 };
    },
  };
}

const [ELEVEN, TWELVE, THIRTEEN] = [verified(11), verified(12), verified(13)];
const following = (distance = 1) => [TWELVE, THIRTEEN][distance - 1];
const stored = ({ height, block: { hash } }: VerifiedBlock, writes: [string, Uint8Array | undefined][]) => ({
  height,
  hash,
  writes: new Map(writes),
});

test('what blocks write after the sheets were asked for lies over what was seen, whenever that was', async () => {
  const ahead = new BlocksAhead(reader([0, 1, 2, 4]), 0);
  ahead.look(following, ELEVEN, 10);
  ahead.stored(
    stored(ELEVEN, [
      [key(1), undefined],
      [key(2), undefined],
      [key(3), SHEET],
    ]),
  );
  ahead.stored(
    stored(TWELVE, [
      [key(2), SHEET],
      [key(3), undefined],
      [key(5), SHEET],
    ]),
  );
  const next = await ahead.next(THIRTEEN, TWELVE);
  expect(next?.ahead).toMatchObject({ tip: 10 });
  const sheets = next && ahead.sheetsOf(next);
  expect(SPENT.map((spent) => sheets?.has(spent + 1))).toEqual([true, false, true, false, true, true]);
});

test('sheets are not taken from an answer if not all is known that was written since', async () => {
  const ahead = new BlocksAhead(reader(SPENT), 0);
  ahead.look(following, ELEVEN, 9);
  ahead.stored(stored(ELEVEN, []));
  const next = await ahead.next(TWELVE, ELEVEN);
  expect(next?.ahead).toMatchObject({ tip: 9 });
  expect(next && ahead.sheetsOf(next)).toBeUndefined();
});

test('nothing stays of what was read ahead on a chain that the store has left', async () => {
  const ahead = new BlocksAhead(reader(SPENT), 0);
  ahead.begin(undefined);
  ahead.look(following, ELEVEN, 10);
  ahead.stored(stored(ELEVEN, []));
  ahead.begin(ELEVEN.block.hash);
  const kept = await ahead.next(TWELVE, ELEVEN);
  expect(kept && ahead.sheetsOf(kept)?.has(1)).toBe(true);
  // Block 11 was undone.
  ahead.begin(new Uint8Array(32));
  expect(kept && ahead.sheetsOf(kept)).toBeUndefined();
  // It is read here, where it turns out that its work is not that of its header.
  expect(await ahead.next(THIRTEEN, TWELVE)).toBeUndefined();
});
