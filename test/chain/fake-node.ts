import { onTestFinished } from 'vitest';
import { FakeNode as Node, type Prank, type ServedBlock } from '../../src/testing/chains/fake-node.js';

/** A node that is stopped when the test ends. */
export class FakeNode extends Node {
  static override async start(
    blocks: readonly ServedBlock[] = [],
    tls?: { key: string; cert: string },
  ): Promise<FakeNode> {
    const node = new FakeNode(blocks);
    await node.listen(0, tls);
    onTestFinished(() => node.stop());
    return node;
  }
}

/** Answers with `status` and a text, as the HTTP server of a node does before any JSON. */
export function refuse(status: number, text = ''): Prank {
  return ({ response }) => {
    response.writeHead(status).end(text);
    return true;
  };
}

/** Answers all with a JSON-RPC error, alone or in a batch. */
export function fail(code: number, message: string): Prank {
  return ({ response, body }) => {
    const calls: unknown = JSON.parse(body);
    const one = (id: unknown) => ({ id, result: null, error: { code, message } });
    response.writeHead(Array.isArray(calls) ? 200 : 500);
    response.end(JSON.stringify(Array.isArray(calls) ? calls.map(({ id }: { id: unknown }) => one(id)) : one(0)));
    return true;
  };
}

/** Drops the connection. */
export const drop: Prank = ({ response }) => {
  response.destroy();
  return true;
};

/** Never answers. */
export const hang: Prank = () => true;
