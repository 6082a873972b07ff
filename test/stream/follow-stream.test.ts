import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { BlockOffsets } from '../../src/bitcoin/block-offsets.js';
import { openSource } from '../../src/bitcoin/sources.js';
import { FakeNode } from '../../src/testing/chains/fake-node.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';
import { ROOTS, Running } from '../service/running.js';
import { NATS, NatsServer } from './nats-server.js';

const HEIGHT = 11;

/** A node with the first blocks of the bundled chain, and how it is named to an index. */
async function aNode(): Promise<string[]> {
  const blocks = Array.from(openSource(CHAIN).blocks(0, HEIGHT), ({ raw }) => ({
    raw,
    hash: BlockOffsets.read(raw).hash,
  }));
  const node = await FakeNode.start(blocks);
  onTestFinished(() => node.stop());
  return ['--network', 'regtest', '--node-url', node.url, '--auth', 'u:p', '--poll-interval', '50'];
}

interface Body {
  readonly codes: readonly string[];
  readonly behind: number | null;
  readonly height: number | null;
  readonly publishing: { readonly behind: number | null; readonly failures: number; readonly stream: string } | null;
  readonly failure: { readonly code: string } | null;
}
const of = (body: Record<string, unknown>): Body => body as unknown as Body;

describe.skipIf(NATS === undefined)('follow-stream', () => {
  test('builds a replica, serves it, and says how far it is behind, whatever is away meanwhile', async () => {
    const folder = temporaryFolder();
    const server = await NatsServer.start(join(folder, 'nats'));
    const url = server.url('chain');
    await server.stop();
    const publish = ['--db', join(folder, 'index'), '--publish', server.url('chain', 'al:s3cret@')];
    const index = await Running.start(...(await aNode()), ...publish);
    // Indexing goes on all the same.
    await index.until('/health', (body) => of(body).codes.includes('STREAM_UNREACHABLE') && of(body).height === HEIGHT);
    expect(await index.text('/status')).not.toContain('s3cret');
    expect(await index.text('/metrics')).toMatch(/^warpshrew_publish_failures_total [1-9]/m);
    await server.begin();
    await index.until('/status', (body) => of(body).publishing?.behind === 0);
    const replica = await Running.replica(url, '--db', join(folder, 'replica'));
    await replica.until('/health', (body) => of(body).height === HEIGHT && of(body).behind === 0);
    expect((await replica.get('/health')).body).toMatchObject({ stateRoot: ROOTS[HEIGHT] });
    expect(await replica.call('metashrew_height')).toMatchObject({ result: String(HEIGHT) });
    expect(await replica.get('/ready')).toMatchObject({ status: 200, body: { phase: 'at-tip' } });
    await server.stop();
    await replica.until('/health', (body) => of(body).codes.includes('STREAM_UNREACHABLE'));
    await server.begin();
    await replica.until('/health', (body) => of(body).codes.length === 0);
    for (const service of [index, replica]) service.signal('SIGTERM');
    expect(await Promise.all([index.done(), replica.done()])).toMatchObject([{ status: 0 }, { status: 0 }]);
    const said = [...index.lines, ...replica.lines].map((line) => JSON.stringify(line)).join('\n');
    expect(said).toContain('publishing blocks');
    expect(said).not.toContain('s3cret');

    const other = await cli('follow-stream', url, '--db', join(folder, 'other'), '--network', 'signet');
    expect(other).toMatchObject({ status: 5 });
    expect(other.stderr).toContain('STREAM_OTHER_INDEX');
  });

  test('begins with a snapshot where the stream begins above, and refuses without', async () => {
    const folder = temporaryFolder();
    const server = await NatsServer.start(join(folder, 'nats'));
    const snapshots = join(folder, 'snapshots');
    const index = await Running.start(
      ...(await aNode()),
      ...['--db', join(folder, 'index'), '--keep-undo', '3', '--publish', server.url('late')],
      ...['--snapshot-directory', snapshots, '--snapshot-interval', '5'],
    );
    await index.line('snapshot made');
    await index.until('/status', (body) => of(body).publishing?.behind === 0);
    const alone = await cli(
      ...['follow-stream', server.url('late'), '--db', join(folder, 'alone')],
      ...['--port', '0', '--exit-on-failure'],
    );
    expect(alone).toMatchObject({ status: 5 });
    expect(alone.stderr).toContain('STREAM_GAP');
    const replica = await Running.replica(server.url('late'), '--db', join(folder, 'replica'), '--repo', snapshots);
    await replica.line('database restored');
    await replica.until('/health', (body) => of(body).height === HEIGHT && of(body).behind === 0);
    expect((await replica.get('/health')).body).toMatchObject({ stateRoot: ROOTS[HEIGHT] });
    expect(await replica.call('metashrew_height')).toMatchObject({ result: String(HEIGHT) });
  });

  test('refuses to keep what no stream tells', async () => {
    const folder = temporaryFolder();
    const args = ['--db', join(folder, 'db'), '--index', 'addresses'];
    const run = await cli('follow-stream', 'nats://127.0.0.1:1/a', ...args);
    expect(run).toMatchObject({ status: 5 });
    expect(run.stderr).toContain('STREAM_OTHER_INDEX');
  });

  test('wants the address of a stream', async () => {
    const run = await cli('follow-stream', 'http://al:s3cret@127.0.0.1:4222/a');
    expect(run).toMatchObject({ status: 2 });
    expect(run.stderr).toContain('USAGE_STREAM');
    expect(run.stderr).not.toContain('s3cret');
  });
});
