/** A stream of a NATS server with JetStream. */
import {
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { StreamError } from '../../errors/errors.js';
import { VERSION } from '../../util/version.js';
import { CHUNK_OVERHEAD, type EventHead, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, NO_HEIGHT } from '../chunk.js';
import type { LogEnd, LogMessage, NewMessage, ReadableLog, ReadMessage, WritableLog } from '../log.js';
import type { StreamAddress } from './address.js';
import { isMissing, streamError, unreachable } from './errors.js';

const ANSWER_MS = 10_000;
const PING_MS = 15_000;
/** Messages that the server may send ahead. */
const AHEAD = 16;

/**
 * One connection, which is not repaired: whoever uses it opens another one after an error. Messages of a block have the
 * subject `NAME.block.HEIGHT`, those of blocks that were undone `NAME.undone.HEIGHT`, or `NAME.undone.none`.
 */
export class JetStreamLog implements WritableLog, ReadableLog {
  readonly chunkBytes: number;
  readonly #address: StreamAddress;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;

  private constructor(address: StreamAddress, connection: NatsConnection, manager: JetStreamManager, room: number) {
    this.#address = address;
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection, { timeout: ANSWER_MS });
    this.chunkBytes = Math.min(MAX_CHUNK_BYTES, room - CHUNK_OVERHEAD);
  }

  /** To read the stream. Throws StreamError STREAM_UNREACHABLE, STREAM_REFUSED, STREAM_MISSING. */
  static reader(address: StreamAddress): Promise<JetStreamLog> {
    return JetStreamLog.#open(address, (manager) => manager.streams.info(address.name));
  }

  /**
   * To write to the stream, which is made if it is not there: it keeps `mostBytes` then, and drops the oldest messages
   * for new ones. Throws StreamError STREAM_UNREACHABLE, STREAM_REFUSED.
   */
  static writer(address: StreamAddress, mostBytes: number): Promise<JetStreamLog> {
    const { name } = address;
    return JetStreamLog.#open(address, async (manager) => {
      try {
        return await manager.streams.info(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
        return manager.streams.add({
          name,
          subjects: [`${name}.>`],
          storage: StorageType.File,
          retention: RetentionPolicy.Limits,
          discard: DiscardPolicy.Old,
          max_bytes: mostBytes,
        });
      }
    });
  }

  static async #open(
    address: StreamAddress,
    info: (manager: JetStreamManager) => Promise<StreamInfo>,
  ): Promise<JetStreamLog> {
    const { server, tls, login } = address;
    let connection: NatsConnection | undefined;
    try {
      connection = await connect({
        servers: server,
        ...login,
        ...(tls && { tls: {} }),
        name: `warpshrew ${VERSION}`,
        reconnect: false,
        timeout: ANSWER_MS,
        pingInterval: PING_MS,
        maxPingOut: 2,
      });
      const manager = await jetstreamManager(connection, { timeout: ANSWER_MS });
      const { config } = await info(manager);
      const payload = connection.info?.max_payload ?? MAX_CHUNK_BYTES;
      const log = new JetStreamLog(address, connection, manager, limited(payload, config.max_msg_size));
      if (log.chunkBytes >= MIN_CHUNK_BYTES) return log;
      throw new StreamError('STREAM_REFUSED', 'the NATS server takes small messages only', {
        facts: { server: address.shown, needed: MIN_CHUNK_BYTES + CHUNK_OVERHEAD },
        hint: 'Raise max_payload of the server, and max_msg_size of the stream.',
      });
    } catch (error) {
      await connection?.close().catch(() => undefined);
      throw streamError(error, address.shown);
    }
  }

  async end(): Promise<LogEnd> {
    return this.#asking(async () => {
      const { state } = await this.#manager.streams.info(this.#address.name);
      const { last_seq: sequence } = state;
      if (state.messages === 0) return { sequence, bytes: undefined };
      const message = await this.#manager.streams.getMessage(this.#address.name, { seq: sequence });
      return { sequence, bytes: message?.data };
    });
  }

  async lastOf(kind: EventHead['kind'], height: number): Promise<LogMessage | undefined> {
    return this.#asking(async () => {
      const { name } = this.#address;
      const message = await this.#manager.streams.getMessage(name, { last_by_subj: subjectOf(name, kind, height) });
      return message === null ? undefined : { sequence: message.seq, bytes: message.data };
    });
  }

  async append({ kind, height, id, bytes }: NewMessage, after: number): Promise<number> {
    const { name } = this.#address;
    return this.#asking(async () => {
      const { seq } = await this.#client.publish(subjectOf(name, kind, height), bytes, {
        msgID: id,
        expect: { streamName: name, lastSequence: after },
        timeout: ANSWER_MS,
      });
      return seq;
    });
  }

  async *read(sequence: number, stopped: AbortSignal): AsyncGenerator<ReadMessage, void, void> {
    const messages = await this.#asking(() => this.#messagesFrom(sequence));
    const stop = (): void => messages.stop();
    stopped.addEventListener('abort', stop, { once: true });
    void this.#connection.closed().then(stop);
    try {
      for await (const { seq, data, info } of messages) {
        if (stopped.aborted) return;
        yield { sequence: seq, bytes: data, pending: info.pending };
      }
    } catch (error) {
      throw streamError(error, this.#address.shown);
    } finally {
      stopped.removeEventListener('abort', stop);
      messages.stop();
    }
    if (!stopped.aborted) throw unreachable(this.#address.shown, 'the connection was lost');
  }

  async #messagesFrom(sequence: number): Promise<ConsumerMessages> {
    const start =
      sequence === 0
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence };
    const consumer = await this.#client.consumers.get(this.#address.name, start);
    return consumer.consume({ max_messages: AHEAD, abort_on_missing_resource: true });
  }

  async close(): Promise<void> {
    await this.#connection.close().catch(() => undefined);
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw streamError(error, this.#address.shown);
    }
  }
}

function subjectOf(name: string, kind: EventHead['kind'], height: number): string {
  return `${name}.${kind}.${height === NO_HEIGHT ? 'none' : height}`;
}

/** Of two limits, where -1 and 0 are none. */
function limited(most: number, limit: number | undefined): number {
  return limit === undefined || limit <= 0 ? most : Math.min(most, limit);
}
