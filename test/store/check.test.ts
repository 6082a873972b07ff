import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from '../../src/store/check/check.js';
import type { Violation } from '../../src/store/check/run.js';
import { Rocks, type WriteBatch } from '../../src/store/rocks.js';
import { Store } from '../../src/store/store.js';
import { CASES, FIRST, TIP } from './damages.js';
import { block, bytes, generator, headerAt, OPTIONS, randomBlock, receipt, temporaryFolder } from './helpers.js';

const sound = join(temporaryFolder(), 'db');

/** Heights 3 to 12 with undo data from 8 on; the key `a` of both lanes has versions at 3, 9 (P: deleted) and 10. */
beforeAll(async () => {
  const store = await Store.open(sound, { ...OPTIONS, keepUndo: 5, label: 'test' });
  store.recordGenesis(headerAt(0).hash);
  const random = generator(11);
  for (let height = FIRST; height <= TIP; height++) {
    const commit = randomBlock(height, random);
    const extra = { 3: ['1', '1'], 9: ['2', undefined], 10: ['3', '3'] }[height];
    const laneWrites = new Map(commit.laneWrites);
    const standardWrites = new Map(commit.standardWrites);
    if (extra?.[0] !== undefined) standardWrites.set('a', bytes(extra[0]));
    if (extra !== undefined) laneWrites.set('a', extra[1] === undefined ? undefined : bytes(extra[1]));
    store.commitBlock({ ...commit, laneWrites, standardWrites, receipts: [receipt(height, 0), receipt(height, 7)] });
  }
  await store.close();
});

async function violations(dir: string): Promise<Violation[]> {
  const found: Violation[] = [];
  const summary = await checkStore(dir, { violation: (violation) => found.push(violation) });
  expect(summary.violations).toBe(found.length);
  return found;
}

async function damaged(damage: (batch: WriteBatch, rocks: Rocks) => void): Promise<Violation[]> {
  const dir = join(temporaryFolder(), 'db');
  cpSync(sound, dir, { recursive: true });
  const rocks = await Rocks.open(dir, false);
  const batch = rocks.batch();
  damage(batch, rocks);
  batch.write();
  await rocks.close();
  return violations(dir);
}

describe('checking a store', () => {
  it('finds nothing in a sound one and says what it saw', async () => {
    const found: Violation[] = [];
    let last = 0;
    const summary = await checkStore(sound, {
      violation: (violation) => found.push(violation),
      progress: (_, rows) => {
        last = rows;
      },
    });
    expect(found).toEqual([]);
    expect(summary.heights).toEqual({ first: FIRST, tip: TIP });
    expect(summary.stateRoot).toMatch(/^[0-9a-f]{64}$/);
    expect(summary.rows).toBeGreaterThan(100);
    expect(last).toBeGreaterThan(10);
  });

  it('finds nothing in an empty one', async () => {
    const dir = temporaryFolder();
    await (await Store.open(dir, OPTIONS)).close();
    expect(await violations(dir)).toEqual([]);
  });

  it('finds nothing in one that was rolled back as deep as it can go', async () => {
    const dir = join(temporaryFolder(), 'db');
    cpSync(sound, dir, { recursive: true });
    const store = await Store.openRecorded(dir);
    store.rollback(store.lowestRollback());
    expect(store.lowestRollback()).toBe(store.tip()?.height);
    await store.close();
    expect(await violations(dir)).toEqual([]);
  });

  it('finds nothing in one with several thousand keys', async () => {
    const dir = temporaryFolder();
    const store = await Store.open(dir, OPTIONS);
    for (let height = 0; height < 3; height++) {
      const values = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`k${height % 2}${i}`, `${height}`]));
      store.commitBlock(block(height, values, values));
    }
    await store.close();
    expect(await violations(dir)).toEqual([]);
  });

  it.each(CASES)('finds %s', async (_, damage, expected) => {
    const found = await damaged(damage);
    for (const violation of expected) expect(found).toContainEqual(expect.objectContaining(violation));
    // Nothing else is accused than what the damage touches.
    const codes = new Set(expected.map(({ code }) => code));
    expect(found.filter(({ code }) => !codes.has(code))).toEqual([]);
  });

  it('of another layout is refused', async () => {
    const identity = { ...(await Store.inspect(sound)), schema: 1 };
    const found = damaged((batch) => batch.put('meta', bytes('identity'), bytes(JSON.stringify(identity))));
    await expect(found).rejects.toMatchObject({ code: 'STORE_SCHEMA_MISMATCH' });
  });

  it('names files that RocksDB refuses to read', async () => {
    const dir = join(temporaryFolder(), 'db');
    cpSync(sound, dir, { recursive: true });
    // Opening turns the log into tables.
    await (await Rocks.open(dir, false)).close();
    const tables = readdirSync(dir).filter((file) => file.endsWith('.sst'));
    const sizes = tables.map((file) => statSync(join(dir, file)).size);
    const largest = join(dir, tables[sizes.indexOf(Math.max(...sizes))]);
    const content = readFileSync(largest);
    content.fill(0xff, 100, 200);
    writeFileSync(largest, content);
    expect(await violations(dir)).toContainEqual(expect.objectContaining({ code: 'CHECK_UNREADABLE' }));
  });
});
