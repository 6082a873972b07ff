import { statusOf } from '../lane/receipt-status.js';
import type { LogReceipt, MessageReceipt, Receipt } from '../lane/types.js';

/** A receipt as JSON: what is not there is null, texts of `__log` are UTF-8. */
export function receiptJson(receipt: Receipt) {
  const { readHash = null, writeHash = null, undone = null, reason = null } = receipt;
  const messages = receipt.messages.map(messageJson);
  return { lane: 'parallel', ...receipt, readHash, writeHash, undone, reason, messages, ...statusOf(receipt) };
}

/** One message of it. */
export function messageJson(message: MessageReceipt) {
  return {
    ...message,
    target: message.target ?? null,
    error: message.error ?? null,
    calls: message.calls.map((call) => ({ ...call, opcode: call.opcode ?? null })),
    abort: message.abort ?? null,
    logs: message.logs.map((log) => ({ frame: log.frame, text: textOf(log), bytes: log.bytes })),
  };
}

/** What was logged, as UTF-8; what is none of it as U+FFFD. A text that was cut ends in front of a broken character. */
export function textOf({ data, bytes }: LogReceipt): string {
  const kept = Buffer.from(data, 'hex');
  return new TextDecoder().decode(kept, { stream: kept.length < bytes });
}
