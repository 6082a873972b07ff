import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Store } from '../../src/store/store.js';
import { PostgresServer, postgresFolder } from '../../src/testing/postgres/postgres-server.js';
import { CHAIN, cli, lastLine, temporaryFolder } from '../helpers/cli.js';
import { chainUpTo } from '../helpers/short-chain.js';
import { expectSame } from '../sink/same.js';
import { Running } from './running.js';

interface Sink {
  readonly phase: string;
  readonly height: number | null;
  readonly behind: number | null;
  readonly trouble: { readonly code: string } | null;
}

/** Of the bundled chain, as much as is needed: its last blocks hold messages. */
const LAST = 120;

/** Without a server (Debian's package `postgresql` has one) there is nothing to write to. */
test.skipIf(postgresFolder() === undefined)(
  'index --sink keeps the tables through kills of either side, is never held up, and says how it is',
  async () => {
    const server = await PostgresServer.start();
    const db = join(temporaryFolder(), 'db');
    const args = ['--fixture', chainUpTo(LAST), '--db', db, '--sink', server.url];
    try {
      const first = await Running.start(...args);
      await first.until('/status', ({ sink }) => ((sink as Sink | null)?.height ?? -1) >= 0);
      first.signal('SIGKILL');
      await first.done();
      await server.kill();

      const running = await Running.start(...args);
      const sinkOf = (body: Record<string, unknown>): Sink => body.sink as Sink;
      // It comes to its end without the database.
      await running.until('/status', (body) => {
        const { height } = body.tip as { height: number };
        return height === LAST && sinkOf(body).trouble?.code === 'SINK_AWAY';
      });
      expect((await running.get('/health')).body).toMatchObject({ status: 'degraded', codes: ['SINK_AWAY'] });
      expect(await running.text('/metrics')).toContain('warpshrew_sink_in_trouble 1');
      await server.run();
      await running.until('/status', (body) => sinkOf(body).phase === 'following' && sinkOf(body).height === LAST);
      expect((await running.get('/health')).body).toMatchObject({ status: 'ok', codes: [] });
      const metrics = await running.text('/metrics');
      expect(metrics).toContain(`warpshrew_sink_height ${LAST}`);
      expect(metrics).toContain('warpshrew_sink_blocks_behind 0');
      running.signal('SIGTERM');
      const { stderr, status } = await running.done();
      expect(status).toBe(0);
      expect(stderr).toContain('the sink is there again');
      const password = decodeURIComponent(new URL(server.url).password);
      for (const secret of [password, encodeURIComponent(password)]) expect(stderr).not.toContain(secret);

      const again = await cli('sink', server.url, '--db', db, '--json');
      expect(lastLine(again)).toEqual({ height: LAST, tip: LAST, blocks: 0, undone: 0, rows: 0 });
      const store = await Store.openRecorded(db, { readOnly: true });
      await expectSame(store, server.url, 'warpshrew', [0, 113, LAST]);
      await store.close();
    } finally {
      await server.close();
    }
  },
);

test('the address of the sink is checked, and its password never shown', async () => {
  const check = (url: string) => cli('config', 'check', '--fixture', CHAIN, '--sink', url);
  const good = await check('postgres://me:s3cret@db.example/chain');
  expect(good.status).toBe(0);
  for (const url of ['mysql://me:s3cret@x/y', 'postgres://x/y?password=s3cret']) {
    const bad = await check(url);
    expect(bad.status).toBe(2);
    expect(bad.stdout + bad.stderr).not.toContain('s3cret');
  }
  expect(good.stdout + good.stderr).not.toContain('s3cret');
  const command = await cli('sink', 'mysql://me:s3cret@x/y', '--db', 'nowhere');
  expect(command.stderr).toContain('USAGE_SINK');
  expect(command.stderr).not.toContain('s3cret');
});
