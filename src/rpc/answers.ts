import type { ServerResponse } from 'node:http';
import { respond } from './dispatch.js';
import { errorObject, RpcError } from './errors.js';
import type { FairBudget } from './fair-budget.js';

/** What is not counted: as much as a socket takes anyway. */
const SMALL_ANSWER = 64 << 10;

/** A piece of an answer, and what stands in its place where too much waits to be taken by clients already. */
export interface Piece {
  readonly text: string;
  instead(): string;
}

/** Sends answers within a budget that clients share, and ends connections that do not take theirs in time. */
export class AnswerWriter {
  constructor(
    private readonly budget: FairBudget,
    private readonly timeoutMs: number,
  ) {}

  /** Writes a piece and waits until the client has taken it, where its connection does not take more meanwhile. */
  write(response: ServerResponse, client: string, piece: Piece): Promise<void> {
    return this.within(client, piece, (text) =>
      this.taken(response, (done) => {
        if (response.write(text, () => done())) done();
      }),
    );
  }

  /** A whole answer: resolves when the client has taken it, or is gone. */
  send(response: ServerResponse, client: string, piece: Piece): Promise<void> {
    return this.within(client, piece, (text) => this.end(response, text));
  }

  /** Ends an answer; resolves as {@link send} does. */
  end(response: ServerResponse, rest: string): Promise<void> {
    return this.taken(response, (done) => response.end(rest, () => done()));
  }

  private async within(client: string, piece: Piece, act: (text: string) => Promise<void>): Promise<void> {
    const { length } = piece.text;
    if (length <= SMALL_ANSWER) return act(piece.text);
    if (!this.budget.take(client, length)) return act(piece.instead());
    try {
      await act(piece.text);
    } finally {
      this.budget.give(client, length);
    }
  }

  private taken(response: ServerResponse, begin: (done: () => void) => void): Promise<void> {
    if (response.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(late);
        response.off('close', done);
        resolve();
      };
      const late = setTimeout(() => response.destroy(), this.timeoutMs);
      response.once('close', done);
      begin(done);
    });
  }
}

/** What is answered to the request with this id where its answer does not fit. */
export function answersHeld(id: string | undefined): string {
  const hint = 'Take the answers that were asked for, then ask again.';
  const error = new RpcError('RPC_ANSWERS_HELD', 'Too many large answers wait to be taken', hint);
  return respond(id, { error: errorObject(error) });
}
