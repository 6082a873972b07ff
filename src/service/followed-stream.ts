/** The stream that a replica follows (`follow-stream`), before there is a database. */
import { backoff, type Clock, REAL_CLOCK } from '../chain/clock.js';
import { StreamError } from '../errors/errors.js';
import { decodeChunk } from '../stream/chunk.js';
import type { StreamIdentity } from '../stream/identity.js';
import type { StreamAddress } from '../stream/nats/address.js';
import { JetStreamLog } from '../stream/nats/jetstream-log.js';

const FIRST_RETRY_MS = 250;
const MOST_RETRY_MS = 30_000;
/** How often an empty stream is looked at. */
const LOOK_MS = 1_000;

export interface FollowedStream {
  readonly address: StreamAddress;
  /** What `--network` says; undefined: any. */
  readonly network: string | undefined;
}

/** Waits before failure number `attempt` + 1 is tried again. */
export function waitToRetry(attempt: number, stopped: AbortSignal, clock: Clock = REAL_CLOCK): Promise<void> {
  return clock.sleep(backoff(attempt, FIRST_RETRY_MS, MOST_RETRY_MS, clock), stopped);
}

/** Whether what reading a stream has thrown may pass by itself. */
export function passes(error: unknown): boolean {
  const codes: readonly string[] = ['STREAM_UNREACHABLE', 'STREAM_REFUSED', 'STREAM_MISSING'];
  return error instanceof StreamError && codes.includes(error.code);
}

/**
 * What the index of a stream was made with, as soon as there is a message in it; undefined if `stopped` aborts before.
 * `onFailure` hears of every failure that passes. Throws StreamError STREAM_BAD_MESSAGE.
 */
export async function identityInStream(
  address: StreamAddress,
  stopped: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<StreamIdentity | undefined> {
  for (let attempt = 0; !stopped.aborted; attempt++) {
    let log: JetStreamLog | undefined;
    try {
      log = await JetStreamLog.reader(address);
      while (!stopped.aborted) {
        const { bytes } = await log.end();
        if (bytes !== undefined) return decodeChunk(bytes).identity;
        await REAL_CLOCK.sleep(LOOK_MS, stopped);
      }
    } catch (error) {
      if (!passes(error)) throw error;
      onFailure(error);
      await waitToRetry(attempt, stopped);
    } finally {
      await log?.close();
    }
  }
  return undefined;
}
