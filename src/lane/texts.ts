/**
 * What the contracts of a message say: what they give to `__log`, and to `abort`. For people: no rule depends on it,
 * but it is the same under every policy, for the kernel leaves a call that says something to the CPU.
 */
import type { TextSink } from '../program/types.js';
import { toHex } from '../util/bytes.js';
import type { LogReceipt, MessageReceipt } from './types.js';

/** Texts of `__log` that a receipt keeps, and their bytes, of all its messages together. */
export const RECEIPT_LOGS = 64;
export const RECEIPT_LOG_BYTES = 4_096;
/** Bytes of UTF-8 that it keeps of the texts of `abort`, of all its messages together. */
export const RECEIPT_ABORT_BYTES = 8_192;

/** A text of `__log`. */
interface Log {
  /** The frame that gave it: 0 is the message's own, n the n-th call of the message. */
  readonly frame: number;
  /** Its first bytes, as many as there was room for. */
  readonly data: Uint8Array;
  /** Bytes that it had. */
  readonly bytes: number;
}

/** The texts of one message, as many as a receipt keeps. */
export class MessageTexts implements TextSink {
  readonly logs: Log[] = [];
  /** All that were given. */
  total = 0;
  abort: string | undefined;
  #bytes = 0;

  /** `tree`: of the message, which knows what frame runs; undefined where there is but its own. */
  constructor(readonly tree?: { readonly frame: number }) {}

  get isEmpty(): boolean {
    return this.total === 0 && this.abort === undefined;
  }

  clear(): void {
    this.logs.length = 0;
    this.total = 0;
    this.abort = undefined;
    this.#bytes = 0;
  }

  log(memory: Uint8Array, start: number, end: number): void {
    this.total++;
    if (this.logs.length === RECEIPT_LOGS) return;
    const data = memory.slice(start, Math.min(end, start + RECEIPT_LOG_BYTES - this.#bytes));
    this.#bytes += data.length;
    this.logs.push({ frame: this.tree?.frame ?? 0, data, bytes: end - start });
  }

  aborted(text: string): void {
    this.abort = text;
  }
}

/** The part of a receipt that tells of texts. */
export type TextsOfMessage = Pick<MessageReceipt, 'abort' | 'logs' | 'logTotal'>;

export function textsOf({ logs, total, abort }: MessageTexts): TextsOfMessage {
  return {
    abort,
    logs: logs.map(({ frame, data, bytes }) => ({ frame, data: toHex(data), bytes })),
    logTotal: total,
  };
}

/** As much of the texts of a message as the earlier messages (`earlier`) of its transaction leave room for. */
export function textsWithin<T extends TextsOfMessage>(message: T, earlier: readonly TextsOfMessage[]): T {
  if (message.abort === undefined && message.logs.length === 0) return message;
  const room = (most: number, of: (one: TextsOfMessage) => number): number =>
    earlier.reduce((left, one) => left - of(one), most);
  const abortRoom = room(RECEIPT_ABORT_BYTES, ({ abort }) => bytesOf(abort));
  let bytes = room(RECEIPT_LOG_BYTES, ({ logs }) => logs.reduce((sum, { data }) => sum + data.length / 2, 0));
  const logs: LogReceipt[] = [];
  for (const log of message.logs.slice(
    0,
    room(RECEIPT_LOGS, (one) => one.logs.length),
  )) {
    const data = log.data.slice(0, 2 * bytes);
    bytes -= data.length / 2;
    logs.push({ ...log, data });
  }
  return { ...message, logs, abort: bytesOf(message.abort) <= abortRoom ? message.abort : undefined };
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : Buffer.byteLength(text);
}
