/** A Bitcoin node's JSON-RPC over HTTP, alone or in batches, for any user and password. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { EnvironmentError } from '../errors/errors.js';
import { hostRule } from '../rpc/hosts.js';
import { Rejection } from './dev-chain.js';
import { type DevNode, NODE_METHODS } from './node-methods.js';

/** A block in hex and some more. */
const MAX_BODY = 20 << 20;
const MOST_CALLS = 1_000;
const NO_METHOD = -32601;
const BAD_REQUEST = -32600;
const INTERNAL = -32603;

export interface NodeServer {
  /** `http://host:port`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `node` on a loopback address. Calls that change the chain run one after the other. Throws EnvironmentError
 * ENV_LISTEN_FAILED.
 */
export async function startNodeServer(node: DevNode, host: string, port: number): Promise<NodeServer> {
  const knows = hostRule(undefined, host);
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    if (!knows(request.headers.host) || request.headers.origin !== undefined) return end(response, 403, '');
    if (request.method !== 'POST') return end(response, 405, '');
    void readBody(request).then((body) => {
      if (body === undefined) return end(response, 413, '');
      last = last.then(() => answerAll(node, body)).then((answer) => end(response, 200, JSON.stringify(answer)));
    });
  });
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const facts = { host, port };
      reject(
        new EnvironmentError('ENV_LISTEN_FAILED', "the node's port cannot be used", {
          facts,
          cause,
          hint: 'Choose another with --node-port.',
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host}:${bound}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerAll(node: DevNode, body: string): Promise<unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return failure(null, -32700, 'Parse error');
  }
  if (!Array.isArray(parsed)) return answerOne(node, parsed);
  if (parsed.length > MOST_CALLS) return failure(null, BAD_REQUEST, `at most ${MOST_CALLS} calls at once`);
  const answers = [];
  for (const request of parsed) answers.push(await answerOne(node, request));
  return answers;
}

async function answerOne(node: DevNode, request: unknown): Promise<unknown> {
  const {
    id = null,
    method,
    params = [],
  } = (typeof request === 'object' && request !== null ? request : {}) as {
    readonly id?: unknown;
    readonly method?: unknown;
    readonly params?: unknown;
  };
  if (typeof method !== 'string' || !Array.isArray(params)) return failure(id, BAD_REQUEST, 'Invalid request');
  if (!Object.hasOwn(NODE_METHODS, method)) return failure(id, NO_METHOD, 'Method not found');
  try {
    return { result: (await NODE_METHODS[method](node, params)) ?? null, error: null, id };
  } catch (error) {
    if (error instanceof Rejection) return failure(id, error.code, error.message);
    return failure(id, INTERNAL, error instanceof Error ? error.message : 'unknown error');
  }
}

function failure(id: unknown, code: number, message: string): object {
  return { result: null, error: { code, message }, id };
}

/** Undefined for one that is too long, or that ends early. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > MAX_BODY) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts).toString('utf8');
}

function end(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}
