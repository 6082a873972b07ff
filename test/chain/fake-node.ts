import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { onTestFinished } from 'vitest';
import type { BuiltBlock } from '../../src/fixtures/regtest-chain.js';
import { toDisplayHash, toHex } from '../../src/util/bytes.js';

export interface Exchange {
  readonly authorization: string | undefined;
  readonly body: string;
  readonly response: ServerResponse;
}

/** Answers one request in its own way; false leaves it to the node. */
export type Prank = (exchange: Exchange) => boolean | undefined;

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A node over HTTP, which serves one chain and misbehaves as told. */
export class FakeNode {
  /** What it takes for its best chain. */
  blocks: readonly BuiltBlock[];
  /** Blocks by display hash that it has, of whatever chain. */
  readonly known = new Map<string, Uint8Array>();
  readonly pruned = new Set<string>();
  /** `user:password` that it wants; anything will do if undefined. */
  credentials: string | undefined;
  /** Each for one request, in order. */
  readonly pranks: Prank[] = [];
  /** For every request without one of its own. */
  prank: Prank | undefined;
  info: Record<string, unknown> = {};
  readonly requests: Exchange[] = [];
  running = 0;
  mostRunning = 0;
  /** Milliseconds before an answer. */
  delayMs = 0;
  private server: Server | undefined;

  private constructor(blocks: readonly BuiltBlock[]) {
    this.blocks = blocks;
    this.serve(blocks);
  }

  static async start(blocks: readonly BuiltBlock[] = [], tls?: { key: string; cert: string }): Promise<FakeNode> {
    const node = new FakeNode(blocks);
    await node.listen(0, tls);
    onTestFinished(() => node.stop());
    return node;
  }

  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Makes `blocks` the best chain; those of other chains stay known. */
  serve(blocks: readonly BuiltBlock[]): void {
    this.blocks = blocks;
    for (const { hash, raw } of blocks) this.known.set(toDisplayHash(hash), raw);
  }

  listen(port: number, tls?: { key: string; cert: string }): Promise<void> {
    const handler = (request: IncomingMessage, response: ServerResponse): void => void this.handle(request, response);
    const server = tls ? createSecureServer(tls, handler) : createServer(handler);
    this.server = server;
    return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    return new Promise((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const exchange = { authorization: request.headers.authorization, body, response };
    this.requests.push(exchange);
    if ((this.pranks.shift() ?? this.prank)?.(exchange)) return;
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    this.running--;
    const wanted = this.credentials && `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    if (wanted !== undefined && exchange.authorization !== wanted) {
      response.writeHead(401).end();
      return;
    }
    const calls: unknown = JSON.parse(body);
    const list = Array.isArray(calls);
    const answers = (list ? calls : [calls]).map((call) => this.answer(call));
    const failed = !list && answers[0].error !== null;
    response.writeHead(failed ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(list ? answers : answers[0]));
  }

  private answer({ id, method, params }: Call): { id: unknown; result: unknown; error: unknown } {
    const error = (code: number, message: string) => ({ id, result: null, error: { code, message } });
    const result = (value: unknown) => ({ id, result: value, error: null });
    const tip = this.blocks.length - 1;
    const best = this.blocks[tip];
    switch (method) {
      case 'echo':
        return result(params);
      case 'getbestblockhash':
        return result(toDisplayHash(best.hash));
      case 'getblockchaininfo':
        return result({
          chain: 'regtest',
          blocks: tip,
          headers: tip,
          bestblockhash: toDisplayHash(best.hash),
          initialblockdownload: false,
          pruned: false,
          ...this.info,
        });
      case 'getblockhash': {
        const block = this.blocks[Number(params[0])];
        return block ? result(toDisplayHash(block.hash)) : error(-8, 'Block height out of range');
      }
      case 'getblock': {
        const hash = String(params[0]);
        const raw = this.known.get(hash);
        if (this.pruned.has(hash)) return error(-1, 'Block not available (pruned data)');
        return raw ? result(toHex(raw)) : error(-5, 'Block not found');
      }
      default:
        return error(-32601, 'Method not found');
    }
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
    response.end(JSON.stringify(Array.isArray(calls) ? calls.map(({ id }: Call) => one(id)) : one(0)));
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
