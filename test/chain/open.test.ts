import { expect, it, onTestFinished } from 'vitest';
import { openChainSource, type SourceConfig } from '../../src/chain/open.js';
import { CHAIN } from '../helpers/cli.js';
import { branch } from './blocks.js';
import { errorOf } from './errors.js';
import { FakeNode } from './fake-node.js';
import { FakePublisher, message } from './fake-publisher.js';

it('a node with notifications is opened, followed and closed', async () => {
  const [main, other] = [branch(5), branch(6, 'other')];
  const node = await FakeNode.start(main);
  const publisher = await FakePublisher.start();
  const opened = await openChainSource({ node: { url: node.url }, zmq: [publisher.endpoint], pollMs: 60_000 });
  onTestFinished(() => opened.close());
  await expect.poll(() => publisher.topics.length).toBe(2);
  expect((await opened.source.tip()).height).toBe(5);
  const changed = opened.source.changed(60_000, new AbortController().signal);
  node.serve(other);
  publisher.send(message('hashblock', new Uint8Array(32)));
  await changed;
  expect((await opened.source.tip()).height).toBe(6);
  const { node: counts, zmq, files } = opened.statistics();
  expect([counts?.requests, zmq?.[0].notifications, files]).toEqual([2, 1, undefined]);
  await opened.close();
  await expect.poll(() => publisher.sockets.size).toBe(0);
});

it('a fixture chain is opened', async () => {
  const { source, node } = await openChainSource({ fixture: CHAIN });
  expect([source.kind, node]).toEqual(['fixture', undefined]);
});

it.each<[SourceConfig, string]>([
  [{}, 'USAGE_SOURCE'],
  [{ fixture: CHAIN, node: { url: 'http://127.0.0.1:1' } }, 'USAGE_SOURCE'],
  [{ blockFiles: '/nowhere', zmq: ['tcp://127.0.0.1:1'] }, 'USAGE_SOURCE'],
  [{ blockFiles: '/nowhere' }, 'BLOCK_FILES_UNREADABLE'],
  [{ node: { url: 'nowhere' } }, 'USAGE_NODE_URL'],
  [{ node: { url: 'http://127.0.0.1:1' }, zmq: ['nowhere'] }, 'USAGE_ZMQ_ENDPOINT'],
])('%j is refused', async (config, code) => {
  expect((await errorOf(openChainSource(config))).code).toBe(code);
});
