/** What a stream offers to those who write and read it, whatever keeps it (nats/). */

import type { EventHead } from './chunk.js';

/** A message that is in the stream. */
export interface LogMessage {
  /** Ascending, with gaps where messages were deleted. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

export interface LogEnd {
  /** Of the last message that it was given, even if that is deleted; 0: it was given none. */
  readonly sequence: number;
  /** The last message; undefined where there is none. */
  readonly bytes: Uint8Array | undefined;
}

/** A message to be added. */
export interface NewMessage {
  /** What it is found again by ({@link StreamLog.lastOf}). */
  readonly kind: EventHead['kind'];
  readonly height: number;
  /** The same message has the same, and is added once. */
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** A stream, as long as the connection to it lasts. Its methods throw StreamError STREAM_*. */
export interface StreamLog {
  /** Where the stream ends. */
  end(): Promise<LogEnd>;
  /** The newest message of this kind of event with this height. */
  lastOf(kind: EventHead['kind'], height: number): Promise<LogMessage | undefined>;
  close(): Promise<void>;
}

export interface WritableLog extends StreamLog {
  /** Bytes of the data of a chunk for which a message has room. */
  readonly chunkBytes: number;
  /**
   * Adds a message behind the one with sequence `after` (0: as the first one); returns its sequence. Throws StreamError
   * STREAM_TAKEN if that is not the last one.
   */
  append(message: NewMessage, after: number): Promise<number>;
}

/** A message as it is read in turn. */
export interface ReadMessage extends LogMessage {
  /** So many follow it in the stream, as far as is known. */
  readonly pending: number;
}

export interface ReadableLog extends StreamLog {
  /** The messages from `sequence` on, or from the first one that is kept; those that come later as they come. */
  read(sequence: number, stopped: AbortSignal): AsyncGenerator<ReadMessage, void, void>;
}
