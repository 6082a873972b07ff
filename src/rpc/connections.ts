import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { clientOf } from './client.js';

/** Requests that a connection may pipeline. Browsers and common clients do not pipeline. */
export const MAX_PIPELINED = 32;

/** The unanswered requests of a connection. */
interface Row {
  pending: number;
  last: Promise<void>;
}

/** Shares connections between clients, and answers the requests of one connection one after the other. */
export class Connections {
  readonly #open = new Map<string, number>();
  readonly #rows = new WeakMap<Socket, Row>();
  readonly #proxies: ReadonlySet<string>;
  readonly #most: number;

  /**
   * One client has at most half of `most` connections, except the `proxies` (comma-separated addresses), which serve
   * many.
   */
  constructor(most: number, proxies: string | undefined) {
    this.#most = most;

    this.#proxies = new Set((proxies ?? '').split(',').map((address) => clientOf(address.trim())));
  }

  /** Whether a new connection may stay. */
  admit(socket: Socket): boolean {
    const client = clientOf(socket.remoteAddress);
    const count = (this.#open.get(client) ?? 0) + 1;
    if (count > Math.max(1, this.#most / 2) && !this.#proxies.has(client)) return false;
    this.#open.set(client, count);
    socket.once('close', () => {
      const left = (this.#open.get(client) ?? 1) - 1;
      if (left > 0) this.#open.set(client, left);
      else this.#open.delete(client);
    });
    return true;
  }

  /**
   * Runs `act`, which must not reject, when the earlier requests on its connection are answered; false if there are too
   * many.
   */
  inTurn({ socket }: IncomingMessage, act: () => Promise<void>): boolean {
    const row = this.#rows.get(socket) ?? { pending: 0, last: Promise.resolve() };
    this.#rows.set(socket, row);
    if (row.pending >= MAX_PIPELINED) return false;
    row.pending++;
    row.last = row.last.then(act).then(() => {
      row.pending--;
    });
    return true;
  }
}
