import { StreamError } from '../../src/errors/errors.js';
import { COLUMNS } from '../../src/store/database.js';
import { Store } from '../../src/store/store.js';
import type { BlockCommit } from '../../src/store/types.js';
import type { EventHead } from '../../src/stream/chunk.js';
import type { LogEnd, LogMessage, NewMessage, ReadableLog, ReadMessage, WritableLog } from '../../src/stream/log.js';
import { Publisher } from '../../src/stream/publisher.js';
import { Disk } from '../../src/testing/sim/disk.js';
import { MemoryDatabase } from '../../src/testing/sim/memory-database.js';
import { bytesEqual, toHex } from '../../src/util/bytes.js';
import { sha256 } from '../../src/util/sha256.js';
import { generator, OPTIONS, randomBlock } from '../store/helpers.js';

/** A stream in memory, whose connections may break. */
export class MemoryLog implements WritableLog, ReadableLog {
  chunkBytes = 8 << 10;
  messages: (LogMessage & NewMessage)[] = [];
  /** So many messages are still taken; the next one fails. */
  left = Number.POSITIVE_INFINITY;
  #sequence = 0;

  async end(): Promise<LogEnd> {
    return { sequence: this.#sequence, bytes: this.messages.at(-1)?.bytes };
  }

  async lastOf(kind: EventHead['kind'], height: number): Promise<LogMessage | undefined> {
    return this.messages.findLast((message) => message.kind === kind && message.height === height);
  }

  async append(message: NewMessage, after: number): Promise<number> {
    if (after !== this.#sequence) throw new StreamError('STREAM_TAKEN', 'another was there first');
    if (this.left-- <= 0) throw new StreamError('STREAM_UNREACHABLE', 'the connection is lost');
    if (this.messages.some(({ id }) => id === message.id)) throw new Error(`published twice: ${message.id}`);
    this.messages.push({ ...message, sequence: ++this.#sequence });
    return this.#sequence;
  }

  /** What there is at the moment. */
  async *read(sequence: number): AsyncGenerator<ReadMessage, void, void> {
    const messages = this.messages.filter((message) => message.sequence >= sequence);
    for (const [i, message] of messages.entries()) yield { ...message, pending: messages.length - i - 1 };
  }

  async close(): Promise<void> {}
}

export function memoryStore(disk = new Disk(), keepUndo = Number.POSITIVE_INFINITY): Store {
  return Store.over(new MemoryDatabase(disk), { ...OPTIONS, keepUndo }, 'memory');
}

/** Every row but those of the state trees. */
export function rowsOf(disk: Disk): Record<string, string> {
  const database = new MemoryDatabase(disk);
  const rows = COLUMNS.filter((column) => column !== 'tree').flatMap((column) =>
    [...database.scan(column)].map(([key, value]) => [`${column} ${toHex(key)}`, toHex(value)] as const),
  );
  return Object.fromEntries(rows);
}

/** A random block on top of the store's tip; blocks with the same `salt` there are the same block. */
export function nextBlock(store: Store, salt: number): BlockCommit {
  const tip = store.tip();
  const height = (tip?.height ?? -1) + 1;
  const header = new Uint8Array(80);
  header.set(tip?.hash ?? new Uint8Array(32), 4);
  header[76] = salt;
  header[77] = salt >>> 8;
  const random = generator(salt * 10_007 + height);
  return { ...randomBlock(height, random), header, hash: sha256(sha256(header)) };
}

export interface Heard {
  readonly blocks: number[];
  readonly leftOut: (readonly [from: number, to: number])[];
}

export function publisherOf(
  store: Store,
  log: WritableLog,
  mostBytes?: number,
): { publisher: Publisher; heard: Heard } {
  const heard: Heard = { blocks: [], leftOut: [] };
  const publisher = new Publisher(log, {
    store,
    undone: () => 0,
    onPublished: ({ height }) => heard.blocks.push(height),
    onLeftOut: (from, to) => heard.leftOut.push([from, to]),
    ...(mostBytes !== undefined && { mostBytes }),
  });
  return { publisher, heard };
}

/** Publishes all that there is. */
export async function publishAll(store: Store, log: WritableLog): Promise<Heard> {
  const { publisher, heard } = publisherOf(store, log);
  while (await publisher.step());
  return heard;
}

export const isSameTip = (a: Store, b: Store): boolean => bytesEqual(a.tip()?.hash, b.tip()?.hash);
