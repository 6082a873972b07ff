/**
 * Connections whose requests are plain (plain-request.ts): these are answered without the parser and the streams of
 * HTTP, which take several times as long as what they carry. With the first request of another kind, or that is to be
 * refused, a connection goes to the HTTP server with all its bytes, and stays there.
 */
import type { Socket } from 'node:net';
import { type AnswerWriter, answersHeld, SMALL_ANSWER } from './answers.js';
import type { Sent } from './client.js';
import { MAX_PIPELINED } from './connections.js';
import { type Dispatcher, isStored } from './dispatch.js';
import type { FairTurns } from './fair-turns.js';
import type { HostRule } from './hosts.js';
import { type Parsed, parseBody } from './parse-body.js';
import { PlainRequests } from './plain-request.js';
import type { RpcServerOptions } from './server-options.js';

/** Time without a request after which a connection is closed, as Node's server has it. */
const IDLE_SECONDS = 5;
/**
 * Answers at once that a client gets per turn of the event loop; what it asks beyond that waits for the client's turn.
 */
const AT_ONCE = 64;
const NOTHING = Buffer.alloc(0);

export interface QuickOptions {
  readonly dispatcher: Dispatcher;
  readonly turns: FairTurns;
  readonly answers: AnswerWriter;
  readonly hosts: HostRule;
  readonly clientOf: (request: Sent) => string;
  /** Until then the HTTP server takes all connections, whose requests wait. */
  readonly ready: Promise<void> | undefined;
  readonly refused: NonNullable<RpcServerOptions['onRefused']>;
  readonly report: (error: unknown) => void;
}

export class QuickConnections {
  /** For answers: the connection closes behind them. */
  closing = false;
  readonly options: QuickOptions;
  readonly plain = new PlainRequests();
  readonly #open = new Set<QuickConnection>();
  readonly #answered = new Map<string, number>();
  #isReady: boolean;
  #date = { second: 0, text: '' };

  constructor(options: QuickOptions) {
    this.options = options;
    this.#isReady = options.ready === undefined;
    void options.ready?.then(() => {
      this.#isReady = true;
    });
  }

  /** Takes over a new connection; `toHttp` is what the HTTP server does with one. */
  take(socket: Socket, toHttp: () => void): void {
    if (!this.#isReady) {
      toHttp();
      return;
    }
    const connection = new QuickConnection(this, socket, () => {
      this.#open.delete(connection);
      toHttp();
    });
    this.#open.add(connection);
    socket.once('close', () => this.#open.delete(connection));
  }

  /** Closes idle connections, and the others behind their answers. */
  close(): void {
    this.closing = true;
    for (const connection of this.#open) connection.closeIfIdle();
  }

  /** Ends all connections. */
  destroy(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  /** Whether `client` may have one more answer in this turn of the event loop. */
  atOnce(client: string): boolean {
    if (this.#answered.size === 0) setImmediate(() => this.#answered.clear());
    const count = (this.#answered.get(client) ?? 0) + 1;
    if (count <= AT_ONCE) this.#answered.set(client, count);
    return count <= AT_ONCE;
  }

  /** The answer with its head, in the words of Node's server. */
  whole(text: string): string {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.#date.second) this.#date = { second, text: new Date(1000 * second).toUTCString() };
    const length = Buffer.byteLength(text);
    const { text: date } = this.#date;
    const lasting = this.closing
      ? 'Connection: close'
      : `Connection: keep-alive\r\nKeep-Alive: timeout=${IDLE_SECONDS}`;
    const head = `content-type: application/json\r\ncontent-length: ${length}\r\nDate: ${date}\r\n${lasting}`;
    return `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${text}`;
  }
}

class QuickConnection {
  readonly socket: Socket;
  readonly #all: QuickConnections;
  readonly #leave: () => void;
  readonly #peer: string;
  /** An answer is under way: nothing is read meanwhile. */
  #busy = false;
  #ended = false;
  /** The HTTP server has it. */
  #isLeft = false;

  constructor(all: QuickConnections, socket: Socket, leave: () => void) {
    this.#all = all;
    this.socket = socket;
    this.#leave = leave;
    this.#peer = all.options.clientOf({ socket, headers: {} });
    socket.setTimeout(1000 * IDLE_SECONDS);
    socket.on('data', this.#hear).on('end', this.#end).on('timeout', this.#late).on('error', this.#failed);
  }

  closeIfIdle(): void {
    if (!this.#busy) this.socket.end();
  }

  readonly #late = (): void => {
    if (!this.#busy) this.socket.destroy();
  };

  readonly #end = (): void => {
    this.#ended = true;
    this.closeIfIdle();
  };

  readonly #failed = (): void => {
    this.socket.destroy();
  };

  readonly #hear = (chunk: Buffer): void => {
    const { closing, plain, options } = this.#all;
    const request = closing ? undefined : plain.read(chunk);
    const parsed = request !== undefined && options.hosts(request.host) ? parseBody(request.body) : undefined;
    if (request === undefined || parsed === undefined || Array.isArray(parsed.value)) {
      this.#toHttp(chunk);
      return;
    }
    const { forwarded, rest } = request;
    const headers = { 'x-forwarded-for': forwarded };
    const client = forwarded === undefined ? this.#peer : options.clientOf({ socket: this.socket, headers });
    const { value, ids } = parsed;
    if (rest.length === 0 && isStored(value) && this.#all.atOnce(client)) {
      this.#answerAtOnce(parsed, client);
      return;
    }
    if (rest.length > 0 && plain.count(chunk, MAX_PIPELINED + 1) > MAX_PIPELINED) {
      options.refused('RPC_PIPELINE', { client });
      this.socket.destroy();
      return;
    }
    void this.#work(async () => {
      await options.turns.take(client);
      if (this.socket.destroyed) return;
      await this.#send(await options.dispatcher.answer(value, ids[0], client), ids[0], client);
    }, rest);
  };

  #answerAtOnce({ value, ids }: Parsed, client: string): void {
    const { options } = this.#all;
    const answer = options.dispatcher.answer(value, ids[0], client);
    if (typeof answer !== 'string' || answer.length > SMALL_ANSWER) {
      void this.#work(async () => this.#send(await answer, ids[0], client));
      return;
    }
    this.socket.write(this.#all.whole(answer));
    // The client does not read what it has asked for.
    if (this.socket.writableLength > 0) void this.#work(() => options.answers.flushed(this.socket));
  }

  #send(text: string, id: string | undefined, client: string): Promise<void> {
    const piece = { text, instead: () => answersHeld(id) };
    return this.#all.options.answers.onConnection(this.socket, client, piece, (whole) => this.#all.whole(whole));
  }

  /** Hears nothing until `act` has ended, and then `rest`, which was read before. */
  async #work(act: () => Promise<void>, rest: Buffer = NOTHING): Promise<void> {
    const { socket } = this;
    this.#busy = true;
    socket.pause();
    try {
      await act();
    } catch (error) {
      this.#all.options.report(error);
      socket.destroy();
    }
    this.#busy = false;
    if (socket.destroyed) return;
    if (rest.length > 0 && !this.#all.closing) this.#hear(rest);
    if (this.#busy || this.#isLeft) return;
    if (this.#ended || this.#all.closing) socket.end();
    else socket.resume();
  }

  #toHttp(chunk: Buffer): void {
    const { socket } = this;
    this.#isLeft = true;
    socket.setTimeout(0);
    socket.off('data', this.#hear).off('end', this.#end).off('timeout', this.#late).off('error', this.#failed);
    // What was read goes first; more is not read before the next turn of the event loop.
    socket.pause();
    socket.unshift(chunk);
    this.#leave();
    process.nextTick(() => socket.resume());
  }
}
