import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EnvironmentError } from '../errors/errors.js';
import { Connections } from './connections.js';
import { Handler } from './handler.js';
import type { RpcServerOptions } from './server-options.js';

/** How long {@link RpcServer.close} waits for answers under way. */
const CLOSE_GRACE_MS = 5_000;
const IDLE_CHECK_MS = 20;
/** Time for the headers of a request, which are 16 KiB at most. */
const HEADERS_MS = 10_000;
const DEFAULT_CONNECTIONS = 1_024;

export interface RpcServer {
  readonly host: string;
  readonly port: number;
  /** `http://host:port`. */
  readonly url: string;
  /** Accepts no more connections, lets answers under way finish (at most 5 s), then ends. */
  close(): Promise<void>;
}

/**
 * Serves JSON-RPC on `POST /`, a short state on `GET /health` (docs/json-rpc.md), and `pages`. Throws EnvironmentError
 * ENV_PORT_IN_USE, ENV_PORT_FORBIDDEN or ENV_LISTEN_FAILED.
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { host, limits, trustProxy, onRefused } = options;
  const handler = new Handler(options);
  const most = limits?.connections ?? DEFAULT_CONNECTIONS;
  const connections = new Connections(most, trustProxy);
  const server = createServer({ headersTimeout: HEADERS_MS, connectionsCheckingInterval: HEADERS_MS / 4 });
  server.maxConnections = most;
  server.on('drop', () => onRefused?.('RPC_CONNECTIONS', {}));
  // What the HTTP server does with a new connection; it gets those that ask for more than plain requests.
  const [toHttp] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    if (connections.admit(socket)) return handler.quick.take(socket, () => toHttp.call(server, socket));
    onRefused?.('RPC_CONNECTIONS', { client: String(socket.remoteAddress) });
    socket.destroy();
  });
  server.on('request', (request, response) => {
    // Data that arrived before its connection was ended.
    if (request.socket.destroyed) return;
    const answer = async (): Promise<void> => {
      await options.ready;
      await handler.handle(request, response);
    };
    if (connections.inTurn(request, answer)) return;
    onRefused?.('RPC_PIPELINE', { client: String(request.socket.remoteAddress) });
    request.socket.destroy();
  });
  await listen(server, host, options.port);
  const { port } = server.address() as AddressInfo;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return { host, port, url: `http://${shownHost}:${port}`, close: () => closeServer(server, handler) };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, failed) => {
    const refused = (error: NodeJS.ErrnoException): void => failed(listenError(error, host, port));
    server.once('error', refused);
    server.listen(port, host, () => {
      server.off('error', refused);
      done();
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): EnvironmentError {
  const facts = { host, port };
  if (error.code === 'EADDRINUSE') {
    const hint = 'Stop the other program, or choose another port with --port.';
    return new EnvironmentError('ENV_PORT_IN_USE', 'the port is in use', { facts, hint, cause: error });
  }
  if (error.code === 'EACCES') {
    const hint = 'Choose a port of 1024 or above with --port.';
    return new EnvironmentError('ENV_PORT_FORBIDDEN', 'this user may not use the port', { facts, hint, cause: error });
  }
  const hint = 'Check --host: it must be an address of this machine.';
  const reason = error.message;
  return new EnvironmentError('ENV_LISTEN_FAILED', 'the server cannot listen', {
    facts: { ...facts, reason },
    hint,
    cause: error,
  });
}

async function closeServer(server: Server, handler: Handler): Promise<void> {
  handler.close();
  const closed = new Promise<void>((done) => server.close(() => done()));
  // Busy connections become idle one by one; each is closed then.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const late = setTimeout(() => {
    server.closeAllConnections();
    handler.quick.destroy();
  }, CLOSE_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
