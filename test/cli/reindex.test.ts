import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { replay } from '../../src/replay/replay.js';
import { hashOf } from '../../src/standard/module.js';
import { sameBelow } from '../../src/standard/same-below.js';
import { Store } from '../../src/store/store.js';
import { allRows } from '../../src/testing/chains/database-rows.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { concatBytes, fromHex, u32Bytes } from '../../src/util/bytes.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';

const OLD = hashOf(defaultIndexer());

/** The built-in indexer with sections that name an earlier module: to the state it is the same, by its hash another. */
function moduleThatSays(...sections: Uint8Array[]): Uint8Array {
  const name = new TextEncoder().encode('warpshrew_same_below');
  return concatBytes(
    defaultIndexer(),
    ...sections.flatMap((content) => [Uint8Array.of(0, 1 + name.length + content.length, name.length), name, content]),
  );
}

const section = (hash: string, height: number): Uint8Array => concatBytes(fromHex(hash), u32Bytes(height));

/** Tip of a database that only its module changes of. */
const TIP = 110;
/** As much of the bundled chain as these tests replay: some blocks with messages. */
const LAST = 124;

/** Indexes the chain with a module, the built-in one if not given, from the database's tip on. */
async function replayed(dbDir: string, indexer?: Uint8Array): Promise<void> {
  await replay({ path: CHAIN, dbDir, policy: 'sequential', workers: 0, to: LAST, indexer });
}

test('a module names earlier ones and heights; anything else of that name says nothing', () => {
  const read = (...sections: Uint8Array[]): number =>
    sameBelow(new WebAssembly.Module(Uint8Array.from(moduleThatSays(...sections))), OLD);
  expect(read()).toBe(0);
  expect(read(section(OLD, 7))).toBe(7);
  expect(read(section(OLD, 7), section('00'.repeat(32), 9), section(OLD, 5))).toBe(7);
  expect(read(section(OLD, 0xffffffff))).toBe(0xffffffff);
  expect(read(section(OLD, 7).subarray(0, 35), concatBytes(section(OLD, 7), Uint8Array.of(0)))).toBe(0);
});

describe('reindex', () => {
  test('leaves what the new module alone would have made, and the old database as it was', async () => {
    const folder = temporaryFolder();
    const [old, into, fresh, indexer] = ['old', 'new', 'fresh', 'module.wasm'].map((name) => join(folder, name));
    await replayed(old);
    const module = moduleThatSays(section(OLD, 150));
    writeFileSync(indexer, module);
    const before = await allRows(old);
    await replayed(fresh, module);
    const whole = await allRows(fresh);
    // Copied, for no undo data reaches so far, and with shared files: below the first lane transaction, and among them.
    for (const from of ['20', '50', '117']) {
      // The second one beside a process that goes on with the old database.
      const writer = from === '50' ? undefined : await Store.openRecorded(old);
      const made = await cli('reindex', '--db', old, '--into', into + from, '--indexer', indexer, '--from', from);
      await writer?.close();
      expect(made.status, made.stderr).toBe(0);
      expect(made.stdout).toContain(`tip ${Number(from) - 1}, state root `);
      expect(made.stdout.includes(`sharing the files of ${old}`)).toBe(from !== '20');
      expect((await cli('db', 'check', '--db', into + from)).stdout).toContain(`blocks 0 to ${Number(from) - 1}`);
      await replayed(into + from, module);
      expect(await allRows(into + from)).toEqual(whole);
    }
    expect(await allRows(old)).toEqual(before);
    expect(before).not.toEqual(whole);
  });

  test('is refused where the module does not allow it, or there is no such state', async () => {
    const folder = temporaryFolder();
    const old = await bundledDatabase(TIP);
    const [into, indexer, silent] = ['new', 'module.wasm', 'silent.wasm'].map((name) => join(folder, name));
    writeFileSync(indexer, moduleThatSays(section(OLD, 150)));
    writeFileSync(silent, concatBytes(moduleThatSays(section('00'.repeat(32), 150))));
    const reindex = (module: string, from: string) =>
      cli('reindex', '--db', old, '--into', into, '--indexer', module, '--from', from);
    for (const [module, from, says] of [
      [silent, '100', 'the module says nothing of the state'],
      [indexer, '151', 'the module says only that below block 150 it is the state'],
      [indexer, String(TIP + 2), 'at most one above the tip'],
      [indexer, '0', 'above the first'],
    ]) {
      const run = await reindex(module, from);
      expect(run.stderr).toContain('USAGE_REINDEX: ');
      expect(run.stderr).toContain(says);
      expect(run.status).toBe(2);
    }
    expect([into, `${into}.reindexing`].some(existsSync)).toBe(false);
    // One above the tip: only the module changes.
    expect((await reindex(indexer, String(TIP + 1))).status).toBe(0);
    expect(await reindex(indexer, String(TIP + 1))).toMatchObject({
      status: 5,
      stderr: expect.stringContaining('SNAPSHOT_TARGET_EXISTS'),
    });
    mkdirSync(`${into}2.reindexing`);
    const beside = await cli('reindex', '--db', old, '--into', `${into}2`, '--indexer', indexer, '--from', '100');
    expect(beside.stderr).toContain('SNAPSHOT_TARGET_EXISTS');
  });

  test('needs a state that is kept', async () => {
    const folder = temporaryFolder();
    const [old, into, indexer] = ['old', 'new', 'module.wasm'].map((name) => join(folder, name));
    writeFileSync(indexer, moduleThatSays(section(OLD, 150)));
    const args = ['--fixture', CHAIN, '--db', old, '--history', '10', '--keep-undo', '10', '--exit-at', '112'];
    expect((await cli('index', ...args, '--port', '0', '--policy', 'cpu', '--index-niceness', '0')).status).toBe(0);
    const reindex = (from: string) => cli('reindex', '--db', old, '--into', into, '--indexer', indexer, '--from', from);
    expect((await reindex('90')).stderr).toContain('STORE_HISTORY_PRUNED');
    expect(existsSync(into)).toBe(false);
    const made = await reindex('106');
    expect(made.status, made.stderr).toBe(0);
    expect((await cli('db', 'check', '--db', into)).stdout).toContain('no violation: blocks 0 to 105');
  });
});
