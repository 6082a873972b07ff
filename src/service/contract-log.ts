/** What contracts of the lane say, for the log of the process. */
import { decodeReceipt, hasTexts } from '../lane/receipt-bytes.js';
import type { EncodedReceipts, MessageReceipt, Receipt } from '../lane/types.js';
import { textOf } from '../trace/receipt-json.js';
import { LineLimit } from '../util/line-limit.js';

/** A text that a contract gave to `__log` or `abort`. */
export interface ContractText {
  readonly height: number;
  readonly txid: string;
  /** `block:tx` of the contract that said it; undefined if the receipt has no room for its call. */
  readonly contract: string | undefined;
  readonly kind: 'log' | 'abort';
  readonly text: string;
}

/** Undefined text: only the count of texts that were left out. */
export interface ContractLine {
  readonly said: ContractText | undefined;
  /** Texts left out since the line before: by the log, or by receipts. */
  readonly leftOut: number;
}

/** Passes on what the receipts of each block tell, a limited number of texts per second. */
export class ContractLog {
  readonly #lines: LineLimit<ContractText>;

  constructor(linesPerSecond: number, send: (line: ContractLine) => void, now?: () => number) {
    this.#lines = new LineLimit(linesPerSecond, (said, leftOut) => send({ said, leftOut }), now);
  }

  /** The block is stored. */
  block(receipts: readonly Receipt[] | EncodedReceipts): void {
    if (!('data' in receipts)) {
      for (const receipt of receipts) this.#receipt(receipt);
      return;
    }
    for (let at = 0; at < receipts.count; at++) {
      const start = receipts.start(at);
      if (hasTexts(receipts.data, start)) this.#receipt(decodeReceipt(receipts.data.subarray(start, receipts.end(at))));
    }
  }

  #receipt({ height, txid, messages }: Receipt): void {
    for (const message of messages) {
      for (const log of message.logs) {
        const contract = contractOf(message, log.frame);
        this.#lines.write(() => ({ height, txid, contract, kind: 'log', text: textOf(log) }));
      }
      this.#lines.leaveOut(message.logTotal - message.logs.length);
      const { abort: text } = message;
      if (text === undefined) continue;
      const contract = abortingOf(message);
      this.#lines.write(() => ({ height, txid, contract, kind: 'abort', text }));
    }
  }
}

/** The frame that failed first is the last one that did, in call order. */
function abortingOf({ target, calls, callTotal }: MessageReceipt): string | undefined {
  if (calls.length < callTotal) return undefined;
  return calls.findLast(({ status }) => status !== 'OK')?.target ?? target;
}

function contractOf({ target, calls }: MessageReceipt, frame: number): string | undefined {
  return frame === 0 ? target : calls[frame - 1]?.target;
}
