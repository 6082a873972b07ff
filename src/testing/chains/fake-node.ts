import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { toDisplayHash, toHex } from '../../util/bytes.js';

export interface Exchange {
  readonly authorization: string | undefined;
  readonly body: string;
  readonly response: ServerResponse;
}

/** Answers one request itself; false leaves it to the node. */
export type Prank = (exchange: Exchange) => boolean | undefined;

/** A block of the node; `raw` may be a getter that reads it each time. */
export interface ServedBlock {
  /** Wire order. */
  readonly hash: Uint8Array;
  readonly raw: Uint8Array;
}

/** Where a block's header has its time, in seconds since 1970. */
const TIME = 68;

interface Call {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/**
 * A regtest node over HTTP for tests and benchmarks, which serves one chain and misbehaves on request. Loopback only.
 */
export class FakeNode {
  /** Its best chain. */
  blocks: readonly ServedBlock[];
  /** All its blocks, of any chain, by display hash. */
  readonly known = new Map<string, { readonly raw: Uint8Array }>();
  readonly pruned = new Set<string>();
  /** Hashes of blocks that it announces but does not have. */
  readonly forgotten = new Set<string>();
  /** Required `user:password`; undefined: none required. */
  credentials: string | undefined;
  /** Required bearer token, instead. */
  token: string | undefined;
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
  #server: Server | undefined;

  protected constructor(blocks: readonly ServedBlock[]) {
    this.blocks = blocks;
    this.serve(blocks);
  }

  /** Listens on a free port, with HTTPS if `tls` is given. The caller must stop it. */
  static async start(blocks: readonly ServedBlock[] = [], tls?: { key: string; cert: string }): Promise<FakeNode> {
    const node = new FakeNode(blocks);
    await node.listen(0, tls);
    return node;
  }

  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Makes `blocks` the best chain; those of other chains stay known. */
  serve(blocks: readonly ServedBlock[]): void {
    this.blocks = blocks;
    for (const block of blocks) this.known.set(toDisplayHash(block.hash), block);
  }

  listen(port: number, tls?: { key: string; cert: string }): Promise<void> {
    const handler = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#handle(request, response).catch(() => response.destroy());
    const server = tls ? createSecureServer(tls, handler) : createServer(handler);
    this.#server = server;
    return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    return new Promise((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part;
    const exchange = { authorization: request.headers.authorization, body, response };
    this.requests.push(exchange);
    if ((this.pranks.shift() ?? this.prank)?.(exchange)) return;
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    this.running--;
    const basic = this.credentials && `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    const wanted = this.token === undefined ? basic : `Bearer ${this.token}`;
    if (wanted !== undefined && exchange.authorization !== wanted) {
      response.writeHead(401).end();
      return;
    }
    const calls: unknown = JSON.parse(body);
    const list = Array.isArray(calls);
    const answers = (list ? calls : [calls]).map((call) => this.#answer(call));
    const failed = !list && answers[0].error !== null;
    response.writeHead(failed ? 500 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(list ? answers : answers[0]));
  }

  #answer({ id, method, params }: Call): { id: unknown; result: unknown; error: unknown } {
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
      case 'getblockheader': {
        const block = this.known.get(String(params[0]));
        if (block === undefined) return error(-5, 'Block not found');
        return result({ time: Buffer.from(block.raw).readUInt32LE(TIME) });
      }
      case 'getblock': {
        const hash = String(params[0]);
        const block = this.known.get(hash);
        if (this.pruned.has(hash)) return error(-1, 'Block not available (pruned data)');
        if (this.forgotten.has(hash)) return error(-5, 'Block not found');
        return block ? result(toHex(block.raw)) : error(-5, 'Block not found');
      }
      default:
        return error(-32601, 'Method not found');
    }
  }
}
