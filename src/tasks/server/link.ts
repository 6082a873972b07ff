import { connect, type Socket } from 'node:net';
import { EnvironmentError } from '../../errors/errors.js';
import { addressText, type ServerAddress } from './address.js';
import { FrameReader, frameHead } from './frames.js';
import { decodeMessage, encodeMessage, type LaneDevice, type Message, MOST_FRAME, VERSION } from './messages.js';

/** Questions that were given up and may still be answered. */
const MOST_LATE = 64;

export interface LinkOptions {
  readonly address: ServerAddress;
  readonly token: string | undefined;
  /** Longest wait for the server's greeting, in milliseconds. */
  readonly connectMs: number;
  /** Longest wait for any answer while something is asked. */
  readonly answerMs: number;
  /** Whether it is enough that the server says that it is there. Then every question needs a time limit of its own. */
  readonly countsAlive?: boolean;
}

/** Answers to what is asked, by its number. */
export type Reply = Extract<Message, { readonly kind: 'answer' | 'outcomes' | 'state' }>;
/** The kinds of questions, and their answers. */
const ANSWERS = { job: 'answer', calls: 'outcomes', program: 'state' } as const;
type Question = Extract<Message, { readonly kind: keyof typeof ANSWERS }>;
type ReplyTo<Q extends Question> = Extract<Message, { readonly kind: (typeof ANSWERS)[Q['kind']] }>;

interface Waiting {
  readonly wants: Reply['kind'];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** A connection to a GPU server. A server that dies, or does not answer, is a device that is lost. */
export class ServerLink {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #waiting = new Map<number, Waiting>();
  readonly #late = new Set<number>();
  #welcome: ((welcome: Extract<Message, { readonly kind: 'welcome' }>) => void) | undefined;
  #refuse: ((error: unknown) => void) | undefined;
  #dead: EnvironmentError | undefined;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #adapter = '';
  #lane: LaneDevice = 'none';

  /** Rejects with EnvironmentError GPU_UNAVAILABLE if there is no server, or it does not want this client. */
  static async connect(options: LinkOptions): Promise<ServerLink> {
    const link = new ServerLink(options);
    await link.#greeted();
    return link;
  }

  private constructor(options: LinkOptions) {
    this.#options = options;
    const { address } = options;
    this.#socket = connect(address.kind === 'unix' ? { path: address.path } : address);
    this.#reader = new FrameReader({
      most: MOST_FRAME,
      reserve: () => true,
      take: (frame) => this.#take(frame),
      tooLong: () => this.#end('it sent a frame that is too long'),
    });
    this.#socket.on('data', (chunk) => void this.#reader.push(chunk));
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('it closed the connection'));
  }

  /** Name of the server's adapter. */
  get adapter(): string {
    return this.#adapter;
  }

  /** What the server runs calls of contracts on. */
  get lane(): LaneDevice {
    return this.#lane;
  }

  /** Why the connection is of no more use. */
  get dead(): EnvironmentError | undefined {
    return this.#dead;
  }

  /**
   * Asks; `bytes` of the question must not change until it is answered. `ms`: time limit, GPU_TIMEOUT behind it.
   * Rejects with the EnvironmentError GPU_… that the server says, or GPU_DEVICE_LOST.
   */
  ask<Q extends Question>(question: (id: number) => Q, ms?: number): Promise<ReplyTo<Q>> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const id = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    const message = question(id);
    const wants = ANSWERS[message.kind];
    return new Promise<ReplyTo<Q>>((resolve, reject) => {
      const timer = ms === undefined ? undefined : setTimeout(() => this.#giveUp(id, ms), ms);
      // What is resolved has been found to be of the kind that was wanted.
      this.#waiting.set(id, { wants, resolve: (reply) => resolve(reply as ReplyTo<Q>), reject, timer });
      this.#socket.ref();
      if (this.#timer === undefined) this.#wait(this.#options.answerMs);
      this.#send(message);
    });
  }

  close(): void {
    this.#end('it is no longer wanted');
  }

  async #greeted(): Promise<void> {
    const welcome = new Promise<Extract<Message, { readonly kind: 'welcome' }>>((resolve, reject) => {
      this.#welcome = resolve;
      this.#refuse = reject;
    });
    this.#send({ kind: 'hello', version: VERSION, token: this.#options.token ?? '' });
    this.#wait(this.#options.connectMs);
    const { adapter, lane } = await welcome;
    this.#adapter = adapter;
    this.#lane = lane;
    this.#settled();
  }

  #send(message: Message): void {
    const parts = encodeMessage(message);
    this.#socket.cork();
    this.#socket.write(frameHead(parts));
    for (const part of parts) this.#socket.write(part);
    this.#socket.uncork();
  }

  #take(frame: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(frame);
    } catch {
      this.#end('it sent what is no message');
      return;
    }
    switch (message.kind) {
      case 'welcome':
        if (message.version !== VERSION) this.#end(`it speaks version ${message.version} of the protocol`);
        else this.#welcome?.(message);
        return;
      case 'alive':
        if (this.#options.countsAlive === true) this.#settled();
        return;
      case 'answer':
      case 'outcomes':
      case 'state':
      case 'failure':
        this.#answered(message);
        return;
      default:
        this.#end('it sent what nobody asked for');
    }
  }

  #answered(message: Reply | Extract<Message, { readonly kind: 'failure' }>): void {
    if (this.#late.delete(message.id)) return;
    const asked = this.#waiting.get(message.id);
    if (asked === undefined || (message.kind !== 'failure' && message.kind !== asked.wants)) {
      this.#end('it sent what nobody asked for');
      return;
    }
    this.#forget(message.id, asked);
    this.#settled();
    if (message.kind === 'failure') {
      asked.reject(new EnvironmentError(codeOf(message.code), `the GPU server: ${message.text.slice(0, 500)}`));
    } else asked.resolve(message);
  }

  #giveUp(id: number, ms: number): void {
    const asked = this.#waiting.get(id);
    if (asked === undefined) return;
    this.#forget(id, asked);
    this.#late.add(id);
    const facts = { ms, server: addressText(this.#options.address) };
    const hint = 'The CPU does it instead.';
    asked.reject(new EnvironmentError('GPU_TIMEOUT', 'the GPU server did not answer in time', { facts, hint }));
    if (this.#late.size > MOST_LATE) this.#end('it left too much unanswered');
    else if (this.#waiting.size === 0) this.#settled();
  }

  #forget(id: number, { timer }: Waiting): void {
    clearTimeout(timer);
    this.#waiting.delete(id);
  }

  #settled(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size > 0) this.#wait(this.#options.answerMs);
    // A connection that waits for nothing keeps no process alive.
    else this.#socket.unref();
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end('it does not answer'), ms);
  }

  #end(why: string): void {
    if (this.#dead !== undefined) return;
    const facts = { server: addressText(this.#options.address) };
    this.#dead = new EnvironmentError('GPU_DEVICE_LOST', `the GPU server is lost: ${why}`, { facts });
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#refuse?.(new EnvironmentError('GPU_UNAVAILABLE', `there is no GPU server: ${why}`, { facts }));
    for (const [id, asked] of [...this.#waiting]) {
      this.#forget(id, asked);
      asked.reject(this.#dead);
    }
  }
}

const CODES = ['GPU_DEVICE_LOST', 'GPU_TIMEOUT', 'GPU_UNAVAILABLE'] as const;

/** What a server says may be anything. */
function codeOf(code: string): (typeof CODES)[number] | 'GPU_FAILED' {
  return CODES.find((known) => known === code) ?? 'GPU_FAILED';
}
