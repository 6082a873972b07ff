import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

const GREETING = Buffer.alloc(64);
GREETING[0] = 0xff;
GREETING[9] = 0x7f;
GREETING.set([3, 1], 10);
GREETING.set(Buffer.from('NULL'), 12);

const READY = Buffer.from('\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB', 'latin1');

/** One frame as a peer sends it. */
export function frame(body: Uint8Array | string, more = false, long = false): Buffer {
  const bytes = Buffer.from(body);
  const size = long ? Buffer.alloc(8) : Buffer.from([bytes.length]);
  if (long) size.writeBigUInt64BE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from([(more ? 1 : 0) | (long ? 2 : 0)]), size, bytes]);
}

export function message(...parts: (Uint8Array | string)[]): Buffer {
  return Buffer.concat(parts.map((part, i) => frame(part, i < parts.length - 1)));
}

/** A publisher over ZMTP, byte by byte. */
export class FakePublisher {
  readonly sockets = new Set<Socket>();
  /** Topics that subscribers asked for, over all connections. */
  readonly topics: string[] = [];
  connections = 0;
  /** Sent instead of the greeting and all that follows. */
  instead: Buffer | undefined;
  /** Whether it says nothing at all. */
  mute = false;
  private server: Server | undefined;

  static async start(): Promise<FakePublisher> {
    const publisher = new FakePublisher();
    await publisher.listen(0);
    onTestFinished(() => publisher.stop());
    return publisher;
  }

  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  listen(port: number): Promise<void> {
    const server = createServer((socket) => this.accept(socket));
    this.server = server;
    return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  }

  send(bytes: Uint8Array): void {
    for (const socket of this.sockets) socket.write(bytes);
  }

  stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  private accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    if (this.mute) return;
    if (this.instead) {
      socket.write(this.instead);
      return;
    }
    // In pieces, as a network may deliver it.
    socket.write(GREETING.subarray(0, 10));
    setImmediate(() => socket.write(GREETING.subarray(10)));
    let got = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', (bytes) => {
      got = Buffer.concat([got, bytes]);
      if (!greeted && got.length >= 64) {
        greeted = true;
        got = got.subarray(64);
        socket.write(READY);
      }
      while (greeted && got.length >= 2 && got.length >= 2 + got[1]) {
        if (got[0] === 0 && got[2] === 1) this.topics.push(got.toString('latin1', 3, 2 + got[1]));
        got = got.subarray(2 + got[1]);
      }
    });
  }
}
