import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Instruction } from '../../src/program/module.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { end, i32, if_, load, loop, OP, op } from '../helpers/wasm-builder.js';
import { ascii, GuestBuilder, number, unreachable } from '../standard/guest-builder.js';
import { moduleFile, Running, storedRoots } from './running.js';

/** The block at which the modules below go wrong. */
const BAD = 3;
/** Where they load their input. */
const INPUT = 4096;

const spin = [loop(), op(OP.br, 0), end];
/** What else ends a block is in test/standard, host.test.ts and standard-indexer.test.ts: here it is all the same. */
const BROKEN: readonly [what: string, code: string, bad: (guest: GuestBuilder) => Instruction[]][] = [
  ['traps', 'MODULE_TRAPPED', () => unreachable],
  [
    'grows its memory without end',
    'MODULE_TIMEOUT',
    () => [loop(), i32(64), op(OP.memoryGrow), op(OP.drop), op(OP.br, 0), end],
  ],
];

/** Writes its block's first byte under `k`, but goes wrong in block {@link BAD}; view `ok` answers. */
function guest(bad: (guest: GuestBuilder) => Instruction[]): Uint8Array {
  const builder = new GuestBuilder();
  const ok = builder.buffer(ascii('ok'));
  const wrong = bad(builder);
  return builder
    .start(
      builder.host('__load_input', INPUT),
      [i32(INPUT), load(0), i32(BAD), op(OP.i32Eq), if_(), ...wrong, end],
      builder.flush('k', 'v'),
    )
    .view('ok', number(ok))
    .bytes();
}

test.each(BROKEN)(
  'a module that %s stops indexing at that block, while what is indexed is served',
  async (_, code, bad) => {
    const folder = temporaryFolder();
    const db = join(folder, 'a.db');
    const args = ['--fixture', CHAIN, '--db', db, '--indexer', moduleFile(folder, guest(bad))];
    // Long enough for the blocks before it on a busy machine.
    if (code === 'MODULE_TIMEOUT') args.push('--block-timeout', '4000');
    const service = await Running.start(...args);
    await service.until('/health', (body) => body.status === 'failed');
    const health = await service.get('/health');
    expect(health.status).toBe(503);
    expect(health.body).toMatchObject({ codes: [code], height: BAD - 1 });
    const ready = await service.get('/ready');
    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({ ready: false, phase: 'failed' });
    expect((await service.get('/status')).body.failure).toMatchObject({ code, facts: { height: BAD } });
    expect((await service.call('metashrew_height')).result).toBe(String(BAD - 1));
    expect((await service.call('metashrew_view', 'ok', '0x')).result).toBe('0x6f6b');
    expect(await service.text('/metrics')).toContain('\nwarpshrew_failed 1\n');
    const errors = service.lines.filter((line) => line.level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code, height: BAD, block: expect.stringMatching(/^[0-9a-f]{64}$/) });
    service.signal('SIGTERM');
    expect((await service.done()).status).toBe(3);
    expect(await storedRoots(db)).toHaveLength(BAD);
  },
);

test('with --exit-on-failure it ends by itself, and again at the same block', async () => {
  const folder = temporaryFolder();
  const module = moduleFile(
    folder,
    guest(() => unreachable),
  );
  const args = [
    '--fixture',
    CHAIN,
    '--db',
    join(folder, 'a.db'),
    '--indexer',
    module,
    '--port',
    '0',
    '--exit-on-failure',
  ];
  for (let run = 0; run < 2; run++) {
    const { status, stderr } = await cli('index', '--policy', 'cpu', ...args);
    expect(status).toBe(3);
    expect(stderr).toMatch(/"level":"error".*"code":"MODULE_TRAPPED".*"height":3/);
  }
  expect(await storedRoots(join(folder, 'a.db'))).toHaveLength(BAD);
});

test('a block under way is dropped whole when a stop does not wait for it', async () => {
  const folder = temporaryFolder();
  const db = join(folder, 'a.db');
  const module = moduleFile(
    folder,
    guest(() => spin),
  );
  const service = await Running.start(
    ...['--fixture', CHAIN, '--db', db, '--indexer', module, '--stop-timeout', '200', '--log-level', 'debug'],
  );
  await service.lineThat((line) => line.msg === 'block indexed' && line.height === BAD - 1);
  service.signal('SIGTERM');
  expect((await service.done()).status).toBe(0);
  expect(await storedRoots(db)).toHaveLength(BAD);
});

test('a second signal ends it at once, with whole blocks only', async () => {
  const folder = temporaryFolder();
  const db = join(folder, 'a.db');
  const module = moduleFile(
    folder,
    guest(() => spin),
  );
  const service = await Running.start('--fixture', CHAIN, '--db', db, '--indexer', module, '--log-level', 'debug');
  await service.lineThat((line) => line.msg === 'block indexed' && line.height === BAD - 1);
  service.signal('SIGTERM');
  await service.line('stopping');
  service.signal('SIGTERM');
  expect((await service.done()).status).toBeUndefined();
  expect(await storedRoots(db)).toHaveLength(BAD);
});

test('--skip-bad-block is refused, with the reason', async () => {
  const { status, stderr } = await cli('index', '--fixture', CHAIN, '--skip-bad-block');
  expect(status).toBe(2);
  expect(stderr).toMatch(/USAGE_CONFIG[\s\S]*--skip-bad-block: refused: every later state/);
});
