import { connect, type Socket } from 'node:net';
import { EnvironmentError } from '../../errors/errors.js';
import { slicesOf } from '../work/slices.js';
import { type Backend, hasShape, mergedAnswers, type Work, type WorkAnswer } from '../work/work.js';
import { addressText, type ServerAddress } from './address.js';
import { FrameReader, frameHead } from './frames.js';
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MOST_FRAME,
  MOST_JOB_BYTES,
  MOST_JOB_HASHES,
  MOST_JOB_SIGNATURES,
  type Priority,
  VERSION,
} from './messages.js';

/** Jobs of a batch that are with the server at a time. */
const AT_A_TIME = 4;

export interface RemoteOptions {
  readonly address: ServerAddress;
  readonly token: string | undefined;
  readonly priority: Priority;
  /** Longest wait for the server's greeting, and for any answer while jobs are with it, in milliseconds. */
  readonly connectMs: number;
  readonly answerMs: number;
}

interface Waiting {
  readonly work: Work;
  readonly resolve: (answer: WorkAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** The kernel of a GPU server. A server that dies, or does not answer, is a device that is lost. */
export class RemoteBackend implements Backend {
  readonly #options: RemoteOptions;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #waiting = new Map<number, Waiting>();
  #welcome: ((adapter: string) => void) | undefined;
  #refuse: ((error: unknown) => void) | undefined;
  #dead: EnvironmentError | undefined;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #adapter = '';

  /** Rejects with EnvironmentError GPU_UNAVAILABLE if there is no server, or it does not want this client. */
  static async connect(options: RemoteOptions): Promise<RemoteBackend> {
    const remote = new RemoteBackend(options);
    await remote.#greeted();
    return remote;
  }

  private constructor(options: RemoteOptions) {
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

  /** Rejects with EnvironmentError GPU_…. `work` must not change meanwhile. */
  async run(work: Work): Promise<WorkAnswer> {
    const answers: Promise<WorkAnswer>[] = [];
    const limits = { bytes: MOST_JOB_BYTES, hashes: MOST_JOB_HASHES, signatures: () => MOST_JOB_SIGNATURES };
    for (const slice of slicesOf(work, limits)) {
      if (answers.length >= AT_A_TIME) await answers[answers.length - AT_A_TIME];
      const answer = this.#ask(slice);
      // Awaited below, perhaps after another one has failed.
      answer.catch(() => undefined);
      answers.push(answer);
    }
    return mergedAnswers(await Promise.all(answers));
  }

  async close(): Promise<void> {
    this.#end('it is no longer wanted');
  }

  async #greeted(): Promise<void> {
    const adapter = new Promise<string>((resolve, reject) => {
      this.#welcome = resolve;
      this.#refuse = reject;
    });
    this.#send({ kind: 'hello', version: VERSION, token: this.#options.token ?? '' });
    this.#wait(this.#options.connectMs);
    this.#adapter = await adapter;
    this.#settled();
  }

  #ask(work: Work): Promise<WorkAnswer> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    const id = this.#next;
    this.#next = (this.#next + 1) >>> 0;
    return new Promise<WorkAnswer>((resolve, reject) => {
      this.#waiting.set(id, { work, resolve, reject });
      this.#socket.ref();
      if (this.#timer === undefined) this.#wait(this.#options.answerMs);
      this.#send({ kind: 'job', id, priority: this.#options.priority, work });
    });
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
    if (message.kind === 'welcome' && message.version === VERSION) {
      this.#welcome?.(message.adapter);
      return;
    }
    const asked = message.kind === 'answer' || message.kind === 'failure' ? this.#waiting.get(message.id) : undefined;
    if (asked === undefined || (message.kind !== 'answer' && message.kind !== 'failure')) {
      this.#end('it sent what nobody asked for');
      return;
    }
    this.#waiting.delete(message.id);
    this.#settled();
    if (message.kind === 'failure') {
      asked.reject(new EnvironmentError(codeOf(message.code), `the GPU server: ${message.text.slice(0, 500)}`));
    } else if (hasShape(asked.work, message.answer)) {
      asked.resolve(message.answer);
    } else {
      asked.reject(new EnvironmentError('GPU_FAILED', 'the GPU server sent an answer of another shape'));
    }
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
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  }
}

/** What a server says may be anything. */
function codeOf(code: string): 'GPU_DEVICE_LOST' | 'GPU_TIMEOUT' | 'GPU_FAILED' {
  return code === 'GPU_DEVICE_LOST' || code === 'GPU_TIMEOUT' ? code : 'GPU_FAILED';
}
