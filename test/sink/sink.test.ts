import { existsSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bell } from '../../src/service/bell.js';
import { RollbackClock } from '../../src/service/rollback-clock.js';
import { SinkFeed } from '../../src/sink/sink-feed.js';
import { NEW_SINK, type SinkStatus } from '../../src/sink/sink-status.js';
import { Store } from '../../src/store/store.js';
import type { StoreOptions } from '../../src/store/types.js';
import { PostgresServer, postgresFolder } from '../../src/testing/postgres/postgres-server.js';
import { sinkRows } from '../../src/testing/postgres/sink-rows.js';
import { grow } from '../export/chain.js';
import { temporaryFolder } from '../helpers/cli.js';
import { generator, OPTIONS } from '../store/helpers.js';
import { expectSame } from './same.js';

/** A store in this process, and a feed that follows it. */
class Followed {
  status: SinkStatus = NEW_SINK;
  readonly clock = new RollbackClock();
  readonly folder = temporaryFolder();
  readonly #bell = new Bell();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(
    readonly store: Store,
    readonly url: string,
    readonly schema: string,
  ) {
    const feed = new SinkFeed({
      store,
      url,
      schema,
      folder: this.folder,
      undoing: this.clock,
      // What fails is tried again at once.
      changed: (ms) => this.#bell.wait(Math.min(ms, 20)),
      signal: this.#stop.signal,
      onStatus: (status) => {
        this.status = status;
      },
    });
    this.#ended = feed.run();
  }

  ring(): void {
    this.#bell.ring();
  }

  /** Until the sink has the newest block. */
  async caughtUp(): Promise<void> {
    await expect
      .poll(async () => {
        this.ring();
        const { phase, height } = this.status;
        return `${phase} ${height}`;
      })
      .toBe(`following ${this.store.tip()?.height}`);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.ring();
    await this.#ended;
  }
}

const opened = (over: Partial<StoreOptions> = {}): Promise<Store> =>
  Store.open(temporaryFolder(), { ...OPTIONS, keepUndo: 10, ...over });

/** Without a server (Debian's package `postgresql` has one) there is nothing to write to. */
describe.skipIf(postgresFolder() === undefined)('the tables in PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  });
  afterAll(() => server.close());

  it('are what the states say after reorgs and crashes of the server, whatever was on its way', async () => {
    const random = generator(1);
    const store = await opened();
    grow(store, 12, random, true);
    grow(store, 6, random);
    const followed = new Followed(store, server.url, 'one');
    await followed.caughtUp();
    await expectSame(store, server.url, 'one');
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, random(12)));
    for (let reorg = 0; reorg < 4; reorg++) {
      const tip = store.tip()?.height ?? 0;
      const to = Math.max(store.lowestRollback(), tip - random(9));
      await followed.clock.during(async () => {
        for (let height = tip - 1; height >= to; height--) {
          store.rollback(height);
          if (random(2) === 0) await turn();
        }
      });
      followed.ring();
      for (let blocks = 1 + random(8); blocks > 0; blocks--) {
        grow(store, 1, random);
        followed.ring();
        if (random(3) === 0) await turn();
      }
      if (reorg % 3 === 1) {
        await server.kill();
        grow(store, 15, random);
        await server.run();
      }
      if (reorg % 4 !== 0) await followed.caughtUp();
    }
    await followed.caughtUp();
    await expectSame(store, server.url, 'one');
    expect(followed.status.undone).toBeGreaterThan(5);
    expect(followed.status.failures.SINK_AWAY).toBeGreaterThan(0);
    expect(followed.status.trouble).toBeUndefined();
    await followed.stop();
    // Another one goes on, and nothing is written twice; two at once do no harm.
    grow(store, 5, random);
    const two = [new Followed(store, server.url, 'one'), new Followed(store, server.url, 'one')];
    for (const one of two) await one.caughtUp();
    grow(store, 5, random);
    for (const one of two) await one.caughtUp();
    await expectSame(store, server.url, 'one');
    expect(two[0].status.blocks + two[1].status.blocks).toBe(10);
    for (const one of two) await one.stop();
    await store.close();
  });

  it('begin where the history of an index begins', async () => {
    const store = await opened({ history: 12, keepUndo: 5 });
    grow(store, 30, generator(2));
    const followed = new Followed(store, server.url, 'short');
    await followed.caughtUp();
    await expectSame(
      store,
      server.url,
      'short',
      Array.from({ length: 29 - store.lowestHistory() }, (_, i) => store.lowestHistory() + 1 + i),
    );
    await followed.stop();
    await store.close();
  });

  it('are left alone if they are of another index, another chain or another version, or not ours', async () => {
    const [store, signet, other, short] = [
      await opened(),
      await opened({ network: 'signet' }),
      await opened(),
      await opened(),
    ];
    grow(store, 9, generator(3));
    for (const [i, one] of [signet, other].entries()) grow(one, 9, generator(4 + i));
    grow(short, 4, generator(3));
    const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
    await sql.unsafe('create schema taken; create table taken.changes (a int); create schema old');
    const ended = async (of: Store, schema: string): Promise<string | undefined> => {
      const followed = new Followed(of, server.url, schema);
      await expect.poll(() => followed.status.phase).toMatch(/^(failed|following)$/);
      await followed.stop();
      return followed.status.trouble?.code;
    };
    expect(await ended(store, 'three')).toBeUndefined();
    const before = await sinkRows(server.url, 'three');
    expect(await ended(signet, 'three')).toBe('SINK_OTHER_INDEX');
    expect(await ended(other, 'three')).toBe('SINK_OTHER_CHAIN');
    expect(await ended(store, 'taken')).toBe('SINK_SCHEMA');
    expect(await sinkRows(server.url, 'three')).toEqual(before);
    // An index that is behind on the same chain, by a few blocks: they count as undone.
    expect(await ended(short, 'three')).toBeUndefined();
    await expectSame(short, server.url, 'three');
    await sql.unsafe('update three.sink set version = 2');
    expect(await ended(store, 'three')).toBe('SINK_SCHEMA');
    await sql.end();
    for (const one of [store, signet, other, short]) await one.close();
  });

  it('wait for a login that is refused, and never say the password', async () => {
    const store = await opened();
    grow(store, 3, generator(5));
    const wrong = new Followed(store, server.url.replace('word', 'wird'), 'four');
    await expect.poll(() => wrong.status.failures.SINK_REFUSED ?? 0).toBeGreaterThan(1);
    expect(JSON.stringify(wrong.status)).not.toContain('wird');
    await wrong.stop();
    expect(existsSync(wrong.folder)).toBe(true);
    await store.close();
  });
});
