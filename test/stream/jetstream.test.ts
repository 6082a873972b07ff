import { describe, expect, test } from 'vitest';
import { StreamError } from '../../src/errors/errors.js';
import type { NewMessage, ReadMessage } from '../../src/stream/log.js';
import { parseStreamAddress, type StreamAddress } from '../../src/stream/nats/address.js';
import { JetStreamLog } from '../../src/stream/nats/jetstream-log.js';
import { temporaryFolder } from '../helpers/cli.js';
import { memoryStore, nextBlock, publishAll } from './helpers.js';
import { NATS, NatsServer } from './nats-server.js';

const MIB = 2 ** 20;

function addressOf(url: string): StreamAddress {
  const address = parseStreamAddress(url);
  if (address === undefined) throw new Error(`no address: ${url}`);
  return address;
}

const message = (height: number, text: string, kind: NewMessage['kind'] = 'block'): NewMessage => ({
  kind,
  height,
  id: text,
  bytes: new TextEncoder().encode(text),
});
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

async function failure(act: Promise<unknown>): Promise<StreamError> {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof StreamError) return error;
  throw new Error(`no error of a stream: ${String(error)}`);
}

describe.skipIf(NATS === undefined)('a stream of a NATS server', () => {
  test('keeps messages in their order, each once, and finds them again', async () => {
    const server = await NatsServer.start(temporaryFolder());
    const address = addressOf(server.url('one'));
    expect((await failure(JetStreamLog.reader(address))).code).toBe('STREAM_MISSING');
    const log = await JetStreamLog.writer(address, 64 * MIB);
    expect(log.chunkBytes).toBe(512 << 10);
    expect(await log.end()).toEqual({ sequence: 0, bytes: undefined });
    expect(await log.append(message(7, 'a'), 0)).toBe(1);
    // The answer may have been lost: the same message is there already.
    expect(await log.append(message(7, 'a'), 0)).toBe(1);
    expect(await log.append(message(7, 'b'), 1)).toBe(2);
    expect(await log.append(message(7, 'c', 'undone'), 2)).toBe(3);
    expect((await failure(log.append(message(8, 'd'), 2))).code).toBe('STREAM_TAKEN');
    const other = await JetStreamLog.reader(address);
    const end = await other.end();
    expect([end.sequence, text(end.bytes)]).toEqual([3, 'c']);
    const found = await other.lastOf('block', 7);
    expect([found?.sequence, text(found?.bytes)]).toEqual([2, 'b']);
    expect((await other.lastOf('undone', 7))?.sequence).toBe(3);
    expect(await other.lastOf('block', 8)).toBe(undefined);
    const read: ReadMessage[] = [];
    const stopping = new AbortController();
    const reading = (async () => {
      for await (const each of other.read(2, stopping.signal)) {
        read.push(each);
        if (read.length === 3) stopping.abort();
      }
    })();
    await expect.poll(() => read.length, { timeout: 3_600_000 }).toBe(2);
    await log.append(message(8, 'later'), 3);
    await reading;
    expect(read.map(({ sequence, bytes }) => `${sequence} ${text(bytes)}`)).toEqual(['2 b', '3 c', '4 later']);
    expect(read[1].pending).toBe(0);
    // Whoever reads hears of a server that is gone.
    const lost = (async () => {
      for await (const _ of other.read(1, new AbortController().signal)) await server.stop();
    })();
    expect((await failure(lost)).code).toBe('STREAM_UNREACHABLE');
    expect((await failure(log.end())).code).toBe('STREAM_UNREACHABLE');
    expect((await failure(JetStreamLog.writer(address, MIB))).code).toBe('STREAM_UNREACHABLE');
    await Promise.all([log.close(), other.close()]);
  });

  test('that is full drops its oldest messages, and takes the newest', async () => {
    const server = await NatsServer.start(temporaryFolder());
    const log = await JetStreamLog.writer(addressOf(server.url('full')), MIB);
    for (let i = 0; i < 5; i++) {
      await log.append({ kind: 'block', height: i, id: `${i}`, bytes: new Uint8Array(400 << 10) }, i);
    }
    expect((await log.end()).sequence).toBe(5);
    expect(await log.lastOf('block', 0)).toBe(undefined);
    const { value } = await log.read(1, new AbortController().signal).next();
    expect(value?.sequence).toBe(4);
    await log.close();
  });

  test('is refused without the right login, and no message says it', async () => {
    const server = await NatsServer.start(temporaryFolder(), ['--jetstream', '--user', 'al', '--pass', 's3cret']);
    const wrong = await failure(JetStreamLog.writer(addressOf(server.url('one', 'al:wr0ng@')), MIB));
    expect(wrong.code).toBe('STREAM_REFUSED');
    expect(wrong.explain()).not.toContain('wr0ng');
    const log = await JetStreamLog.writer(addressOf(server.url('one', 'al:s3cret@')), MIB);
    expect(await log.append(message(1, 'a'), 0)).toBe(1);
    await log.close();
  });

  test('is refused where the server has no JetStream', async () => {
    const server = await NatsServer.start(temporaryFolder(), []);
    expect((await failure(JetStreamLog.writer(addressOf(server.url('one')), MIB))).code).toBe('STREAM_REFUSED');
  });

  test('holds the blocks of an index as they were in memory', async () => {
    const server = await NatsServer.start(temporaryFolder());
    const index = memoryStore();
    for (let i = 0; i < 5; i++) index.commitBlock(nextBlock(index, 0));
    const log = await JetStreamLog.writer(addressOf(server.url('one')), 64 * MIB);
    expect((await publishAll(index, log)).blocks).toEqual([0, 1, 2, 3, 4]);
    index.rollback(2);
    for (let i = 0; i < 3; i++) index.commitBlock(nextBlock(index, 1));
    expect((await publishAll(index, log)).blocks).toEqual([2, 3, 4, 5]);
    await log.close();
  });
});
