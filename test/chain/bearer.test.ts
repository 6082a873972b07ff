import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NodeRpc } from '../../src/chain/node-rpc.js';
import { still } from './clock.js';
import { errorOf } from './errors.js';
import { FakeNode } from './fake-node.js';

describe('a bearer token', () => {
  it('is sent instead of user and password, read again when it is refused, and shown nowhere', async () => {
    const node = await FakeNode.start();
    node.token = 'old.token';
    let configured = 'old.token';
    const reread = (): { bearer: string } => ({ bearer: configured });
    const rpc = new NodeRpc({ url: node.url, clock: still(), bearer: configured, reread });
    onTestFinished(() => rpc.close());
    expect(await rpc.call('echo')).toEqual([]);
    node.token = 'new.token';
    const error = await errorOf(rpc.call('echo'));
    expect(error.code).toBe('NODE_UNAUTHORISED');
    expect(`${error.explain()}${inspect(rpc, { depth: 9 })}`).not.toMatch(/(old|new)\.token/);
    configured = 'new.token';
    expect(await rpc.call('echo')).toEqual([]);
    configured = 'unused';
    expect(await rpc.call('echo')).toEqual([]);
  });
});
