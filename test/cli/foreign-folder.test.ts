import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RocksLevel } from '@nxtedition/rocksdb';
import { expect, test } from 'vitest';
import { openSource } from '../../src/bitcoin/sources.js';
import { ROCKSHREW_COMMAND } from '../../src/cli/settings.js';
import { CHAIN, cli, ROOT, temporaryFolder } from '../helpers/cli.js';
import { replayTo } from '../helpers/here.js';

const MODULE = join(ROOT, 'dist', 'wasm', 'indexers', 'default.wasm');
/** Commands that run at a time. */
const AT_ONCE = 4;

/** What arguments get that name no file or folder. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  txid: ['00'.repeat(32)],
  target: ['2:1'],
  inputs: ['77'],
  what: ['contracts'],
  // Nothing listens there.
  database: ['postgres://127.0.0.1:9/none'],
  url: ['nats://127.0.0.1:9'],
  command: ['--', process.execPath, '--version'],
};

/** What commands want besides, by their words; options of paths have values by their name in {@link pathFor}. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  index: ['--policy', 'sequential', '--exit-at', '2', '--port', '0', '--snapshot-interval', '1'],
  serve: ['--port', '0'],
  doctor: ['--no-gpu'],
  // A foreign folder is no file of a token.
  'gpu-server': ['--listen', 'tcp:127.0.0.1:0'],
  'follow-stream': ['--port', '0'],
  replay: ['--to', '2', '--policy', 'sequential'],
  'replay-dump': ['--no-gpu'],
  // Nothing listens there.
  deploy: ['--node-url', 'http://127.0.0.1:9'],
  send: ['--node-url', 'http://127.0.0.1:9'],
  'db rollback': ['--to', '2', '--yes'],
  reindex: ['--from', '2'],
  'proof get': ['--namespace', 'S', '--key', '00'],
  'proof verify': ['--root', '00'.repeat(32), '--height', '1'],
};

/** Options of paths that a command always gets. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  index: ['db', 'fixture'],
  serve: ['db'],
  doctor: ['db'],
  dump: ['db'],
  replay: ['db'],
  export: ['db', 'to'],
  digest: ['db'],
  sink: ['db'],
  'follow-stream': ['db'],
  trace: ['db', 'blocks'],
  call: ['db'],
  reindex: ['db', 'into', 'indexer'],
  verify: ['db', 'fixture'],
  'db check': ['db'],
  'db rollback': ['db'],
  'proof get': ['db'],
  'snapshot create': ['db', 'out'],
  'snapshot key': ['out'],
  'snapshot restore': ['from', 'db'],
  'snapshot fetch': ['out'],
};

/** They end before they open a database: one by design, one where there is no GPU. */
const OPEN_NONE: ReadonlySet<string> = new Set(['config check', 'verify-kernel']);

interface Command {
  readonly words: readonly string[];
  /** Names of its arguments, and of its options that take a path. */
  readonly args: readonly string[];
  readonly paths: readonly string[];
}

/** Prints every command of the built program as a {@link Command}, hidden ones too, in the place of running one. */
const LISTER = `
import { Command } from 'commander';
const listed = (command, words) => {
  if (command.commands.length > 0) return command.commands.flatMap((sub) => listed(sub, [...words, sub.name()]));
  const isPath = ({ flags, hidden }) => !hidden && /<(dir|file|path|folder)(\\|[^>]*)?>$/.test(flags);
  const paths = command.options.filter(isPath).map(({ long }) => long.slice(2));
  return [{ words, args: command.registeredArguments.map((argument) => argument.name()), paths }];
};
Command.prototype.parseAsync = async function () {
  console.log(JSON.stringify(listed(this, [])));
};
await import('./dist/cli.js');
`;

/** Every command, as the program itself knows them; but for the one that is `index` without its name. */
async function commands(): Promise<Command[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', LISTER], { cwd: ROOT });
  return (JSON.parse(stdout) as Command[]).filter(({ words }) => words[0] !== ROCKSHREW_COMMAND);
}

/** A database of another program. */
async function foreign(folder: string): Promise<void> {
  const db = new RocksLevel(folder, { columns: { default: {} }, createIfMissing: true });
  await db.open();
  const batch = db.batch();
  batch._put(Buffer.from('__INTERNAL/height'), Buffer.from([7, 0, 0, 0]), { column: db.columns.default });
  batch._writeSync({ sync: true });
  batch._closeSync();
  await db.close();
}

/** Every file of a folder with its hash and the time of its last change. */
function fingerprint(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => {
    const path = join(dir, name);
    const { mtimeMs } = statSync(path);
    const isFolder = statSync(path).isDirectory();
    return `${name} ${isFolder ? '' : createHash('sha256').update(readFileSync(path)).digest('hex')} ${mtimeMs}`;
  });
}

test('every command leaves the database of another program as it is, wherever a path may stand', async () => {
  const folder = temporaryFolder();
  const ours = join(folder, 'ours.db');
  await replayTo(ours, 3);
  const snapshot = join(folder, 'snapshot');
  expect((await cli('snapshot', 'create', '--db', ours, '--out', snapshot)).status).toBe(0);
  const rawBlock = join(folder, 'block');
  for (const { raw } of openSource(CHAIN).blocks(1, 1)) writeFileSync(rawBlock, raw);
  const all = await commands();
  expect(all.map(({ words }) => words.join(' '))).toEqual(
    expect.arrayContaining(['index', 'db check', 'verify-kernel']),
  );
  let made = 0;

  /** A run with the database of another program in one place, and what is right everywhere else. */
  async function point({ words, args, paths }: Command, at: string): Promise<void> {
    const name = words.join(' ');
    const own = join(folder, String(made++));
    const theirs = join(own, 'theirs');
    cpSync(ours, join(own, 'db'), { recursive: true });
    await foreign(theirs);
    const before = fingerprint(theirs);
    const pathFor = (of: string): string => {
      if (of === at) return theirs;
      if (of === 'fixture' || of === 'blocks' || of === 'path') return CHAIN;
      if (of === 'from') return snapshot;
      if (of === 'file') return rawBlock;
      if (of === 'indexer' || of === 'module') return MODULE;
      if (of === 'db' && (name === 'index' || name === 'replay')) return join(own, 'new.db');
      return join(own, of);
    };
    const given = paths.filter((path) => path === at || NEEDED[name]?.includes(path));
    const line = [
      ...words,
      ...args.flatMap((arg) => ARGUMENTS[arg] ?? [pathFor(arg)]),
      ...given.flatMap((path) => [`--${path}`, pathFor(path)]),
      ...(MORE[name] ?? (name === 'verify-kernel' ? ['--programs', 'claim'] : [])),
    ];
    const run = await cli(...line);
    // A command that wants more than these tables know has not come far enough to do harm.
    expect.soft(run.stderr, line.join(' ')).not.toMatch(/missing required argument|required option/);
    expect.soft(fingerprint(theirs), line.join(' ')).toEqual(before);
    const refusal = /STORE_FOREIGN|SNAPSHOT_TARGET_EXISTS/;
    const said = `${run.stdout}${run.stderr}`;
    if (at === 'db' && !OPEN_NONE.has(name)) expect.soft(said, line.join(' ')).toMatch(refusal);
  }

  const runs = all.flatMap((command) => {
    // They take the settings of `index`, of which they use no other path, or go on until they are stopped.
    const isSettings = ['config check', 'doctor', 'serve', 'follow-stream'].includes(command.words.join(' '));
    const places = isSettings ? ['db'] : [...command.args.filter((arg) => !(arg in ARGUMENTS)), ...command.paths];
    return places.map((at) => () => point(command, at));
  });
  expect(runs.length).toBeGreaterThan(40);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let run = runs.shift(); run !== undefined; run = runs.shift()) await run();
    }),
  );
});
