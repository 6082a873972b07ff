import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { height, port, rollbackHeight, seed, size, sizes, times, workers } from '../../src/cli/arguments.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, type CliRun, cli, FIXTURE_BUILDER, ROOT, startCli, temporaryFolder } from '../helpers/cli.js';
import { replayHere, replayTo } from '../helpers/here.js';
import { temporaryFolder as folderOfFile } from '../store/helpers.js';

const folder = folderOfFile();
const db = join(folder, 'db');
const blockFile = join(folder, '5.bin');
const nextBlock = join(folder, '6.bin');
const snapshot = join(folder, 'snapshot');

beforeAll(async () => {
  await replayTo(db, 5);
  const blocks = [...openSource(CHAIN).blocks(5, 6)];
  writeFileSync(blockFile, blocks[0].raw);
  writeFileSync(nextBlock, blocks[1].raw);
  await cli('snapshot', 'create', '--db', db, '--out', snapshot);
});

/** Runs a command whose reader has ended, as behind a `| head` that has read enough. */
async function unread(args: readonly string[], closed: 'stdout' | 'both' = 'stdout'): Promise<CliRun> {
  const { child, done } = startCli(args);
  child.stdout?.destroy();
  if (closed === 'both') child.stderr?.destroy();
  return done;
}

describe('a closed output', () => {
  const vectors = join(ROOT, 'fixtures', 'vectors', 'wire.json');
  const indexer = join(ROOT, 'dist', 'wasm', 'indexers', 'default.wasm');
  const commands: readonly { readonly status: number; readonly args: readonly string[] }[] = [
    { status: 0, args: ['dump', '--db', db] },
    { status: 0, args: ['plan', nextBlock, '--db', db] },
    { status: 0, args: ['decode', '--vectors', vectors] },
    { status: 0, args: ['run-module', indexer, blockFile] },
    { status: 0, args: ['db', 'check', '--db', db] },
    { status: 0, args: ['fuzz', '--blocks', '1', '--no-gpu'] },
    { status: 2, args: ['config', 'check'] },
    { status: 0, args: ['snapshot', 'restore', '--from', snapshot, '--db', join(folder, 'restored')] },
    { status: 0, args: ['replay', '--help'] },
  ];
  test.each(commands)('ends quietly: $args', async ({ status, args }) => {
    const run = await unread(args);
    expect(run.stderr).not.toMatch(/EPIPE|INTERNAL|^\s+at /m);
    expect(run.status).toBe(status);
  });

  test('of both kinds hinders no work', async () => {
    const target = join(temporaryFolder(), 'db');
    const run = await unread(['replay', CHAIN, '--db', target, '--policy', 'sequential', '--to', '30'], 'both');
    expect(run.status).toBe(0);
    expect((await cli('db', 'check', '--db', target)).stdout).toContain('blocks 0 to 30');
  });
});

describe('a number that cannot be', () => {
  test.each([
    { says: /--port.*0 to 65535, not 'abc'/, args: ['serve', '--db', db, '--port', 'abc'] },
    { says: /--port.*0 to 65535, not '99999'/, args: ['serve', '--db', db, '--port', '99999'] },
    { says: /--port: must be a whole number from 0 to 65535/, args: ['index', '--fixture', CHAIN, '--port', '99999'] },
    { says: /--workers.*'0'.*1 to 256/, args: ['replay', CHAIN, '--workers', '0'] },
    { says: /--workers: must be a whole number from 1 to 256/, args: ['index', '--fixture', CHAIN, '--workers', '0'] },
    { says: /--to.*-2.*-1 to/, args: ['db', 'rollback', '--db', db, '--to=-2'] },
  ])('is refused in terms of its option: $args', async ({ says, args }) => {
    const run = await cli(...args);
    expect(run.stderr).toMatch(says);
    expect(run.stderr).not.toMatch(/INTERNAL|^\s+at /m);
    expect(run.status).toBe(2);
  });

  test.each(['', 'abc', '1.5', '0x10', '1e3', '+5', ' 5', '-1', '99999999999', '9'.repeat(400), 'NaN'])(
    'is refused by every kind of number: "%s"',
    (text) => {
      for (const read of [height, port, workers, times, seed, size, sizes]) {
        expect(() => read(text)).toThrow(/It must be a whole number from \d+ to \d+\./);
      }
    },
  );

  test('or can, at the bounds', () => {
    expect([port('0'), port('65535'), workers('1'), workers('256'), rollbackHeight('-1')]).toEqual([
      0, 65535, 1, 256, -1,
    ]);
    expect([seed('4294967295'), height('007'), sizes('1,20')]).toEqual([4294967295, 7, [1, 20]]);
    for (const act of [() => port('65536'), () => workers('0'), () => times('0'), () => rollbackHeight('-2')]) {
      expect(act).toThrow('It must be a whole number');
    }
  });

  test('is read by one of these kinds in every command', () => {
    const lines = ['cli/main.ts', 'cli/store-commands.ts'].flatMap((file) =>
      readFileSync(join(ROOT, 'src', file), 'utf8').split('\n'),
    );
    const numbers = lines.filter((line) => /'--[a-z-]+ <(n|height|port)>'/.test(line));
    expect(numbers.length).toBeGreaterThan(14);
    for (const line of numbers) {
      expect(line).toMatch(/ (height|rollbackHeight|port|workers|times|seed|size)(, \d+)?\)/);
    }
  });
});

describe('a range of heights', () => {
  test.each([{ from: 10, to: 5 }, { from: 1000 }, { from: 1000, to: 2000 }])(
    'without a block is refused: %j',
    async (range) => {
      const run = await replayHere(CHAIN, join(temporaryFolder(), 'db'), range);
      expect(run.stderr).toContain('USAGE_RANGE:');
      expect(run.status).toBe(2);
    },
  );
});

test('a chain that is not that of the database is named, also where it is shorter', async () => {
  const other = join(folder, 'other');
  execFileSync(process.execPath, [FIXTURE_BUILDER, other, '--seed', 'another chain']);
  // The last of them as a process: of a longer database.
  for (const to of [3, 5, 9]) {
    const run = await replayHere(await cut(other, to), db);
    expect(run.stderr).toContain('STORE_OTHER_CHAIN:');
    expect(run.status).toBe(4);
  }
  const longer = await bundledDatabase(110);
  const run = await cli('replay', other, '--db', longer, '--policy', 'sequential');
  expect(run.stderr).toContain('STORE_OTHER_CHAIN:');
  expect(run.status).toBe(4);
});

/** The raw blocks 1 to `last` of a fixture chain, as a folder of files. */
async function cut(path: string, last: number): Promise<string> {
  const dir = temporaryFolder();
  for (const { height, raw } of openSource(path).blocks(1, last)) writeFileSync(join(dir, `${height}.bin`), raw);
  return dir;
}
