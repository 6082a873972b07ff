import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/standard/module.js';
import { sameBelow } from '../../src/standard/same-below.js';
import { allRows } from '../../src/testing/chains/database-rows.js';
import { defaultIndexer } from '../../src/util/built-wasm.js';
import { concatBytes, fromHex, u32Bytes } from '../../src/util/bytes.js';
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

async function replayed(db: string, ...args: string[]): Promise<void> {
  const run = await cli('replay', CHAIN, '--db', db, '--policy', 'sequential', ...args);
  expect(run.status, run.stderr).toBe(0);
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
    writeFileSync(indexer, moduleThatSays(section(OLD, 150)));
    await replayed(old);
    const before = await allRows(old);
    await replayed(fresh, '--indexer', indexer);
    const whole = await allRows(fresh);
    // Below the first lane transaction, and in the midst of them.
    for (const from of ['50', '131']) {
      const made = await cli('reindex', '--db', old, '--into', into + from, '--indexer', indexer, '--from', from);
      expect(made.status, made.stderr).toBe(0);
      expect(made.stdout).toContain(`tip ${Number(from) - 1}, state root `);
      await replayed(into + from, '--indexer', indexer);
      expect(await allRows(into + from)).toEqual(whole);
    }
    expect(await allRows(old)).toEqual(before);
    expect(before).not.toEqual(whole);
  });

  test('is refused where the module does not allow it, or there is no such state', async () => {
    const folder = temporaryFolder();
    const [old, into, indexer, silent] = ['old', 'new', 'module.wasm', 'silent.wasm'].map((name) => join(folder, name));
    writeFileSync(indexer, moduleThatSays(section(OLD, 150)));
    writeFileSync(silent, concatBytes(moduleThatSays(section('00'.repeat(32), 150))));
    await replayed(old, '--to', '120');
    const reindex = (module: string, from: string) =>
      cli('reindex', '--db', old, '--into', into, '--indexer', module, '--from', from);
    for (const [module, from, says] of [
      [silent, '100', 'the module says nothing of the state'],
      [indexer, '151', 'the module says only that below block 150 it is the state'],
      [indexer, '122', 'at most one above the tip'],
      [indexer, '0', 'above the first'],
    ]) {
      const run = await reindex(module, from);
      expect(run.stderr).toContain('USAGE_REINDEX: ');
      expect(run.stderr).toContain(says);
      expect(run.status).toBe(2);
    }
    expect([into, `${into}.reindexing`].some(existsSync)).toBe(false);
    // One above the tip: only the module changes.
    expect((await reindex(indexer, '121')).status).toBe(0);
    expect(await reindex(indexer, '121')).toMatchObject({
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
    const args = ['--fixture', CHAIN, '--db', old, '--history', '20', '--keep-undo', '20', '--exit-at', '121'];
    expect((await cli('index', ...args, '--port', '0', '--policy', 'cpu', '--index-niceness', '0')).status).toBe(0);
    const reindex = (from: string) => cli('reindex', '--db', old, '--into', into, '--indexer', indexer, '--from', from);
    expect((await reindex('90')).stderr).toContain('STORE_HISTORY_PRUNED');
    expect(existsSync(into)).toBe(false);
    const made = await reindex('110');
    expect(made.status, made.stderr).toBe(0);
    expect((await cli('db', 'check', '--db', into)).stdout).toContain('no violation: blocks 0 to 109');
  });
});
