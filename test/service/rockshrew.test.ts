import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addSettings, withCommand } from '../../src/cli/settings.js';
import { readConfig } from '../../src/service/config.js';
import type { Settings } from '../../src/service/options.js';
import { AS_ROCKSHREW } from '../../src/service/rockshrew.js';
import { ROCKSHREW_FLAGS, rustLogLevel } from '../../src/service/rockshrew-flags.js';
import { CHAIN } from '../helpers/cli.js';

/** What the command line of rockshrew-mono gives: as commander reads it, and without a command. */
function read(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const command = addSettings(new Command()).exitOverride();
  command.parse(['node', 'warpshrew', ...args]);
  return readConfig({ flags: { ...command.opts(), [AS_ROCKSHREW]: true }, environment });
}

const NODE = ['--daemon-rpc-url', 'http://127.0.0.1:8332'];

/** Every flag of rockshrew-mono with a value, the settings that it gives, and a part of the warning, if any. */
const FLAGS: readonly (readonly [args: string, gives: Partial<Settings>, warning?: string])[] = [
  ['--daemon-rpc-url http://10.0.0.1:8332', { nodeUrl: 'http://10.0.0.1:8332' }],
  ['--daemon-rpc-url=http://10.0.0.1:8332/path', { nodeUrl: 'http://10.0.0.1:8332/path' }],
  ['--daemon-rpc-url http://u:p%40@h:1', { nodeUrl: 'http://h:1/', auth: 'u:p@' }, 'can read the password'],
  [`--indexer ${CHAIN}`, { indexer: CHAIN }],
  ['--db-path there', { db: 'there' }],
  ['--start-block 880000', { startBlock: 880_000 }],
  ['--auth u:p:q', { auth: 'u:p:q' }],
  ['--auth eyJhbGciOi.eyJzdWIi.c2ln-_', { auth: 'eyJhbGciOi.eyJzdWIi.c2ln-_' }],
  ['--auth sshfs://me@host/.cookie', { auth: undefined }, 'over SSH is not read'],
  ['--host 0.0.0.0', { host: '0.0.0.0' }],
  ['--port 8085', { port: 8085 }],
  ['--label main', { label: 'main' }],
  ['--label my://index', { label: 'my-index' }, 'my-index is taken instead'],
  ['--label ://', { label: undefined }, 'no letter or digit'],
  ['--exit-at 900000', { exitAt: 900_000 }],
  ['--cors *', { cors: '*' }],
  ['--pipeline-size 8', { prefetchBlocks: 8 }],
  ['--pipeline-size 0', { prefetchBlocks: 1 }, '1 is taken instead'],
  ['--pipeline-size 4000000000', { prefetchBlocks: 1_000 }, '1000 is taken instead'],
  ['--snapshot-directory there', { snapshotDirectory: 'there' }],
  ['--snapshot-interval 500', { snapshotInterval: 500 }],
  ['--snapshot-interval 0', { snapshotInterval: 1 }, '1 is taken instead'],
  ['--repo https://example.org/snapshots', { repo: 'https://example.org/snapshots' }],
  ['--max-reorg-depth 12', { keepUndo: 12 }],
  ['--max-reorg-depth 0', { keepUndo: 1 }, '1 is taken instead'],
  ['--reorg-check-threshold 6', { reorgCheckThreshold: 6 }],
  ['--fork there', {}, 'is not read'],
  ['--legacy-fork', {}, 'is not read'],
  ['--enable-preview', {}, 'nothing to switch on'],
  ['--view-concurrency 16', { viewWorkers: 16 }],
  ['--view-memory-mb 256', { viewMemory: 256 }],
  ['--view-memory-floor-mb 8192', {}, 'bounded one by one'],
  ['--view-memory-floor-refresh-ms 1000', {}, 'bounded one by one'],
  ['--view-runtime-workers 4', { viewWorkers: 4 }],
  ['--no-startup-heal', {}, 'nothing to heal'],
  ['--indexer-cores 4', {}, 'not bound to cores'],
  ['--indexer-nice -10', {}, 'below the priority of answers'],
  ['--view-nice 5', {}, 'below the priority of answers'],
  ['--prefetch-size 64', { prefetchBlocks: 64 }],
  ['--enable-spv', {}, 'verified always'],
  ['--spv-type auxpow', {}, 'not offered'],
  ['--prefixroot a:0x00,b:0xFf', { prefixroot: 'a:0x00,b:0xFf' }],
  ['--prefixroot a:0x00 --prefixroot b:0xff', { prefixroot: 'a:0x00,b:0xff' }],
  ['--enable-view-pool', {}, 'nothing to switch on'],
  ['--view-pool-size 3', { viewWorkers: 3 }],
  ['--view-pool-max-concurrent 9', { viewQueue: 9 }],
  ['--view-pool-logging', {}, '/metrics'],
  ['--disable-lru-cache', {}, 'no cache'],
  ['--disable-wasmtime-log', { moduleLogLines: 0 }],
];

describe('the command line of rockshrew-mono', () => {
  it.each(FLAGS.map(([line, gives, warning]) => ({ line, gives, warning })))('$line', ({ line, gives, warning }) => {
    const args = line.split(' ');
    const { settings, problems, notes } = read(line.includes('daemon-rpc-url') ? args : [...NODE, ...args]);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject(gives);
    expect(notes.map(({ origin }) => origin)).toEqual(warning === undefined ? [] : [args[0].split('=', 1)[0]]);
    if (warning !== undefined) expect(notes[0].reason).toContain(warning);
  });

  it('is known flag by flag', () => {
    const tested = new Set(FLAGS.map(([line]) => /^--([a-z-]+)/.exec(line)?.[1]));
    expect(Object.keys(ROCKSHREW_FLAGS).filter((name) => !tested.has(name))).toEqual([]);
  });

  it('is taken whole, and the last of two flags for one setting counts', () => {
    const all = FLAGS.flatMap(([line]) => line.split(' ')).filter((word) => !word.includes('='));
    const { settings, problems, notes } = read(all);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ prefetchBlocks: 64, viewWorkers: 3, db: 'there', port: 8085 });
    expect(notes).toContainEqual({
      origin: '--pipeline-size',
      reason: '--prefetch-size counts, which gives the same setting',
    });
  });

  it('takes HOST, PORT and RUST_LOG below flags and WARPSHREW_*, only where there is no command', () => {
    const environment = { HOST: '0.0.0.0', PORT: '9', RUST_LOG: 'debug', ROCKSHREW_INDEXER_NICE: '-1' };
    const { settings, origins, notes } = read(NODE, environment);
    expect(settings).toMatchObject({ host: '0.0.0.0', port: 9, logLevel: 'debug' });
    expect(origins).toMatchObject({ host: 'HOST', port: 'PORT', logLevel: 'RUST_LOG' });
    expect(notes.map(({ origin }) => origin)).toEqual(['ROCKSHREW_INDEXER_NICE']);
    expect(read([...NODE, '--host', '::1'], environment).settings.host).toBe('::1');
    expect(read(NODE, { ...environment, WARPSHREW_PORT: '7' }).settings.port).toBe(7);
    const ours = readConfig({ flags: { nodeUrl: 'http://127.0.0.1' }, environment });
    expect(ours.settings).toMatchObject({ host: '127.0.0.1', port: 8080, logLevel: 'info' });
    expect(ours.notes).toEqual([]);
  });

  it.each([
    ['info', 'info'],
    ['off', 'silent'],
    ['WARN', 'warn'],
    ['rockshrew_mono=debug,info', 'info'],
    ['rockshrew_mono=debug,metashrew_runtime=trace,hyper=info', 'trace'],
    ['rockshrew_mono', 'trace'],
    ['error/reorg', 'error'],
    ['hyper=info', undefined],
    ['', undefined],
  ])('RUST_LOG=%s asks for %s', (text, level) => expect(rustLogLevel(text)).toBe(level));

  it('gives the same to `index`, where one of two names of a setting is enough', () => {
    const flags = { daemonRpcUrl: 'http://127.0.0.1:8332', dbPath: 'there', maxReorgDepth: '7', pipelineSize: '5' };
    const { settings, problems } = readConfig({ flags, environment: {} });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ nodeUrl: 'http://127.0.0.1:8332', db: 'there', keepUndo: 7, prefetchBlocks: 5 });
    const both = readConfig({ flags: { ...flags, db: 'here' }, environment: {} });
    expect(both.problems).toEqual([{ origin: '--db-path', reason: 'means the same as --db: give one of them' }]);
  });

  it('is one that begins with a setting', () => {
    const command = (...args: string[]): string | undefined => withCommand(['node', 'cli.js', ...args])[2];
    expect(command('--daemon-rpc-url', 'x')).toBe('rockshrew');
    expect(command('--port=1')).toBe('rockshrew');
    expect(command('--config', 'x')).toBe('rockshrew');
    for (const other of ['--help', '--version', '-V', '--nosuch', 'index', '']) expect(command(other)).toBe(other);
    expect(command()).toBeUndefined();
  });
});
