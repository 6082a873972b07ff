/**
 * The part of ZMTP 3.0 (rfc.zeromq.org/spec/23) that a subscriber needs, with the NULL mechanism: greeting, READY,
 * subscriptions, and messages read from a stream of bytes. Lengths are bounded: notifications of a node are short.
 */

const SIGNATURE_END = 10;
const GREETING_LENGTH = 64;
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const MAX_FRAME = 4096;
const MAX_PARTS = 8;

/** The peer does not send the ZMTP expected here. */
export class ZmtpError extends Error {}

/** The greeting of a client: signature, version 3.0, mechanism NULL. */
export function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_LENGTH);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[SIGNATURE_END] = 3;
  bytes.set(Buffer.from('NULL'), 12);
  return bytes;
}

/** The command READY of a subscriber. */
export function ready(): Uint8Array {
  const body = Buffer.concat([
    shortText('READY'),
    shortText('Socket-Type'),
    Buffer.from([0, 0, 0, 3]),
    Buffer.from('SUB'),
  ]);
  return Buffer.concat([Buffer.from([COMMAND, body.length]), body]);
}

/** The message that subscribes to topics that begin with `topic`. */
export function subscription(topic: string): Uint8Array {
  const body = Buffer.concat([Buffer.from([1]), Buffer.from(topic)]);
  return Buffer.concat([Buffer.from([0, body.length]), body]);
}

function shortText(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

export interface ZmtpEvents {
  /** The peer has sent its greeting: READY may be sent. */
  greeted(): void;
  /** The peer has sent READY: subscriptions may be sent. */
  ready(): void;
  message(parts: readonly Uint8Array[]): void;
}

/** Reads what a peer sends. */
export class ZmtpReader {
  #buffer: Buffer = Buffer.alloc(0);
  #greeted = false;
  #isReady = false;
  #parts: Uint8Array[] = [];
  readonly #events: ZmtpEvents;

  constructor(events: ZmtpEvents) {
    this.#events = events;
  }

  /** Throws ZmtpError; the connection is unusable then. */
  push(bytes: Uint8Array): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (!this.#greeted && !this.#readGreeting()) return;
    while (this.#readFrame());
  }

  #readGreeting(): boolean {
    const buffer = this.#buffer;
    if ((buffer.length > 0 && buffer[0] !== 0xff) || (buffer.length > 9 && buffer[9] !== 0x7f)) {
      throw new ZmtpError('it speaks another protocol');
    }
    if (buffer.length < GREETING_LENGTH) return false;
    if (buffer[SIGNATURE_END] < 3) throw new ZmtpError('it speaks a version of ZMTP before 3.0');
    if (buffer.toString('latin1', 12, 32).replace(/\0+$/, '') !== 'NULL')
      throw new ZmtpError('it wants a security mechanism');
    this.#buffer = buffer.subarray(GREETING_LENGTH);
    this.#greeted = true;
    this.#events.greeted();
    return true;
  }

  #readFrame(): boolean {
    const buffer = this.#buffer;
    if (buffer.length < 2) return false;
    const [flags] = buffer;
    if ((flags & ~(MORE | LONG | COMMAND)) !== 0) throw new ZmtpError('a frame has unknown flags');
    const long = (flags & LONG) !== 0;
    if (long && buffer.length < 9) return false;
    const start = long ? 9 : 2;
    const length = long ? buffer.readUInt32BE(1) * 2 ** 32 + buffer.readUInt32BE(5) : buffer[1];
    if (length > MAX_FRAME) throw new ZmtpError(`a frame is longer than ${MAX_FRAME} bytes`);
    if (buffer.length < start + length) return false;
    const body = buffer.subarray(start, start + length);
    this.#buffer = buffer.subarray(start + length);
    if ((flags & COMMAND) !== 0) this.#command(body);
    else this.#part(body, (flags & MORE) !== 0);
    return true;
  }

  #command(body: Buffer): void {
    const name = body.toString('latin1', 1, 1 + (body[0] ?? 0));
    if (name === 'ERROR') throw new ZmtpError('it refuses the connection');
    if (name === 'READY' && !this.#isReady) {
      this.#isReady = true;
      this.#events.ready();
    }
  }

  #part(body: Buffer, more: boolean): void {
    if (!this.#isReady) throw new ZmtpError('a message comes before READY');
    if (this.#parts.push(body) > MAX_PARTS) throw new ZmtpError(`a message has more than ${MAX_PARTS} parts`);
    if (more) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#events.message(parts);
  }
}
