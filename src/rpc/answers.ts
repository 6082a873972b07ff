import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { respond } from './dispatch.js';
import { errorObject, RpcError } from './errors.js';
import type { FairBudget } from './fair-budget.js';

/** Smaller answers are not counted: a socket buffers as much anyway. */
export const SMALL_ANSWER = 64 << 10;

/** A piece of an answer, and its replacement when too many answers are waiting for clients to read them. */
export interface Piece {
  readonly text: string;
  instead(): string;
}

/** Sends answers within a budget that clients share, and ends connections whose clients do not read in time. */
export class AnswerWriter {
  readonly #budget: FairBudget;
  readonly #timeoutMs: number;

  constructor(budget: FairBudget, timeoutMs: number) {
    this.#budget = budget;
    this.#timeoutMs = timeoutMs;
  }

  /** Writes a piece; if the connection's buffer is full, waits until the client has read it. */
  write(response: ServerResponse, client: string, piece: Piece): Promise<void> {
    return this.#within(client, piece, (text) =>
      this.#taken(response, (done) => {
        if (response.write(text, () => done())) done();
      }),
    );
  }

  /** Sends a whole answer: resolves when the client has read it, or is gone. */
  send(response: ServerResponse, client: string, piece: Piece): Promise<void> {
    return this.#within(client, piece, (text) => this.end(response, text));
  }

  /**
   * Sends a whole answer on a connection that stays open, `whole` with what HTTP wants; resolves as {@link send} does.
   */
  onConnection(socket: Socket, client: string, piece: Piece, whole: (text: string) => string): Promise<void> {
    return this.#within(client, piece, (text) =>
      this.#taken(socket, (done) => socket.write(whole(text), () => done())),
    );
  }

  /** Resolves when all that was written is read, or the client is gone. */
  flushed(socket: Socket): Promise<void> {
    return this.#taken(socket, (done) => socket.write('', () => done()));
  }

  /** Ends an answer; resolves as {@link send} does. */
  end(response: ServerResponse, rest: string | Uint8Array): Promise<void> {
    return this.#taken(response, (done) => response.end(rest, () => done()));
  }

  async #within(client: string, piece: Piece, act: (text: string) => Promise<void>): Promise<void> {
    const { length } = piece.text;
    if (length <= SMALL_ANSWER) return act(piece.text);
    if (!this.#budget.take(client, length)) return act(piece.instead());
    try {
      await act(piece.text);
    } finally {
      this.#budget.give(client, length);
    }
  }

  #taken(response: ServerResponse | Socket, begin: (done: () => void) => void): Promise<void> {
    if (response.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(late);
        response.off('close', done);
        resolve();
      };
      const late = setTimeout(() => response.destroy(), this.#timeoutMs);
      response.once('close', done);
      begin(done);
    });
  }
}

/** The answer to the request with this id when its own answer does not fit the budget. */
export function answersHeld(id: string | undefined): string {
  const hint = 'Read the answers requested so far, then ask again.';
  const error = new RpcError('RPC_ANSWERS_HELD', 'Too many large answers are waiting to be read', hint);
  return respond(id, { error: errorObject(error) });
}
