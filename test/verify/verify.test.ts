// Stored blocks that are run once more: all agree, and whatever was changed in the database afterwards is found.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { latestKey, readBeU32, receiptPrefix } from '../../src/store/keys.js';
import { Rocks } from '../../src/store/rocks.js';
import { Store } from '../../src/store/store.js';
import type { Namespace } from '../../src/store/types.js';
import { toHex } from '../../src/util/bytes.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, cli } from '../helpers/cli.js';

const TIP = 118;
/** Of the bundled chain: some of its first lane transactions. Databases have blocks above. */
const FROM = 104;

const verify = async (db: string, ...args: string[]) => {
  const to = args.includes('--to') ? [] : ['--to', String(TIP)];
  const { stdout, stderr, status } = await cli('verify', '--db', db, '--fixture', CHAIN, '--json', ...to, ...args);
  return { status, stderr, report: stdout === '' ? undefined : JSON.parse(stdout) };
};

/** Changes the newest value of one key that a block above {@link FROM} has written. */
async function changeValue(db: string, ns: Namespace) {
  const rocks = await Rocks.open(db, false);
  const gte = latestKey(ns, new Uint8Array(0));
  const rows = [...rocks.scan('latest', { gte })].filter(
    ([key, row]) => key[0] === gte[0] && readBeU32(row, 0) > FROM && readBeU32(row, 0) <= TIP && row.length > 4,
  );
  const [key, row] = rows[Math.floor(rows.length / 2)];
  const height = readBeU32(row, 0);
  const damaged = new Uint8Array(row);
  damaged[row.length - 1] ^= 1;
  const batch = rocks.batch();
  batch.put('latest', new Uint8Array(key), damaged);
  batch.write();
  await rocks.close();
  return { key, row, damaged, height };
}

describe('verify', () => {
  it('runs every block again, and finds what is stored', async () => {
    const whole = await bundledDatabase();
    const { status, report, stderr } = await verify(whole);
    expect(status, stderr).toBe(0);
    expect(report).toMatchObject({ from: 0, to: TIP, blocks: TIP + 1, different: null, stopped: false });
    const store = await Store.openRecorded(whole, { readOnly: true });
    const heights = Array.from({ length: TIP + 1 }, (_, height) => height);
    expect(report.receipts).toBe(heights.reduce((sum, height) => sum + [...store.receipts(height)].length, 0));
    expect(report.receipts).toBeGreaterThan(10);
    expect(report.changes).toBe([...store.changesBetween(0, TIP)].length);
    await store.close();
  });

  it('shares of the work are the whole of it together', async () => {
    const whole = await bundledDatabase();
    const all = (await verify(whole, '--from', String(FROM))).report;
    const shares = await Promise.all(
      ['0', '1', '2'].map((rest) => verify(whole, '--from', String(FROM), '--work-filter', `3:${rest}`)),
    );
    expect(shares.map(({ status }) => status)).toEqual([0, 0, 0]);
    for (const what of ['blocks', 'transactions', 'changes', 'receipts']) {
      const parts = shares.map(({ report }) => report[what]);
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(all[what]);
      expect(parts.every((part) => part < all[what])).toBe(true);
    }
  });

  it('a block that was damaged is found by the one whose share it is, and by no other', async () => {
    const db = await bundledDatabase();
    const damaged = await changeValue(db, 'P');
    const shares = await Promise.all(
      ['0', '1', '2'].map((rest) => verify(db, '--from', String(FROM), '--work-filter', `3:${rest}`)),
    );
    const found = shares.filter(({ status }) => status === 1).map(({ report }) => report);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      divisor: 3,
      remainder: damaged.height % 3,
      different: { height: damaged.height },
    });
    expect(shares.filter(({ status }) => status === 0)).toHaveLength(2);
  });

  it.each(['S', 'P'] as const)('finds a value of %s that was changed, and where', async (ns) => {
    const db = await bundledDatabase();
    const { key, row, damaged, height } = await changeValue(db, ns);
    const { status, report } = await verify(db, '--from', String(FROM));
    expect(status).toBe(1);
    expect(report.different).toEqual({
      height,
      difference: {
        what: ns === 'S' ? 'standard' : 'lane',
        key: toHex(key.subarray(1)),
        stored: toHex(damaged.subarray(4)),
        found: toHex(row.subarray(4)),
      },
    });
    expect(report.blocks).toBe(height - FROM);
    const said = await cli('verify', '--db', db, '--fixture', CHAIN, '--from', String(height), '--to', String(height));
    expect(said.stdout).toContain(`block ${height} differs: ${ns === 'S' ? 'standard' : 'lane'} key `);
  });

  it('finds a receipt that was taken away', async () => {
    const db = await bundledDatabase();
    const rocks = await Rocks.open(db, false);
    const [first] = [...rocks.scan('blocks', { gte: receiptPrefix(FROM), lt: receiptPrefix(TIP) })];
    const height = readBeU32(first[0], 1);
    const batch = rocks.batch();
    batch.del('blocks', new Uint8Array(first[0]));
    batch.write();
    await rocks.close();
    const { report } = await verify(db, '--from', String(FROM));
    expect(report.different).toMatchObject({ height, difference: { what: 'receipt' } });
  });

  it('says which heights it can run again, and that a module is another one', async () => {
    const whole = await bundledDatabase();
    const above = await verify(whole, '--to', '1000');
    expect(above).toMatchObject({ status: 2, stderr: expect.stringContaining('USAGE_RANGE') });
    const indexer = join(process.cwd(), 'dist', 'wasm', 'bench', 'outpoints.wasm');
    const other = await verify(whole, '--indexer', indexer);
    expect(other).toMatchObject({ status: 4, stderr: expect.stringContaining('STORE_MODULE_MISMATCH') });
  });

  it.each(['3:3', '0:0', '3', '3:-1', '1.5:1', '3:1:1', '10000000:1', ''])(
    '%j is no share of the work',
    async (share) => {
      const { status, stderr } = await cli('verify', '--db', 'none', '--fixture', CHAIN, '--work-filter', share);
      expect(status).toBe(2);
      expect(stderr).toContain('--work-filter');
      expect(stderr).toContain('the second one smaller');
    },
  );
});
