/** `warpshrew conflicts FILE.bin`: which calls of a block can run together, and what keeps the others apart. */
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { MAX_BLOCK_LENGTH } from '../bitcoin/limits.js';
import { InputError } from '../errors/errors.js';
import { conflictText } from '../harness/conflict-text.js';
import { conflictReport } from '../harness/conflicts.js';
import { Store } from '../store/store.js';
import { fromBinaryString } from '../util/bytes.js';
import { readInputFile } from './files.js';

/** Over the state of the database's tip, or an empty one. Throws InputError FILE_*, BLOCK_* and StoreError. */
export async function conflictsCommand(
  file: string,
  { db, json }: { readonly db?: string; readonly json?: boolean },
): Promise<{ text: string; exitStatus: number }> {
  const block = BlockOffsets.read(readInputFile(file, MAX_BLOCK_LENGTH));
  const store = db === undefined ? undefined : await Store.openRecorded(db, { readOnly: true });
  try {
    const tip = store?.tip();
    const height = tip === undefined ? block.coinbaseHeight : tip.height + 1;
    if (height === undefined) {
      throw new InputError('BLOCK_NO_HEIGHT', 'the coinbase names no height', { facts: { file } });
    }
    const { laneStartHeight, dependent } = { laneStartHeight: 0, dependent: 'demote' as const, ...store?.identity() };
    const context = { height, block: block.raw, laneStartHeight, dependent };
    const state = { get: (key: string) => store?.getLatest('P', fromBinaryString(key)) };
    const report = await conflictReport(block, context, state);
    return { text: json ? JSON.stringify(report) : conflictText(report), exitStatus: 0 };
  } finally {
    await store?.close();
  }
}
