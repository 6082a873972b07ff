import type { Socket } from 'node:net';
import type { GpuBlock } from '../../gpu/pack/types.js';
import type { Program } from '../../program/types.js';
import { unitsOf, type Work, type WorkAnswer } from '../work/work.js';
import { FrameReader, frameHead } from './frames.js';
import { decodeCalls } from './lane-columns.js';
import {
  type Columns,
  decodeMessage,
  encodeMessage,
  type LaneDevice,
  type Message,
  MOST_FRAME,
  MOST_JOB_HASHES,
  MOST_JOB_SIGNATURES,
  type Priority,
  type ProgramState,
  VERSION,
} from './messages.js';
import { MOST_TOKEN, tokensEqual } from './token.js';

/** Most bytes that the frames of a client take at a time, each until its answer has left, and most jobs. */
const MOST_OF_CLIENT = 128 * 1024 * 1024;
const MOST_JOBS = 16;
/** A client that does not go on with a frame or an answer for so long, or has not greeted by then, is dropped. */
const STALLED_MS = 30_000;

/** What a job asks for: a batch task, or what the kernel leaves of a piece of a block. */
export type Asked =
  | { readonly kind: 'work'; readonly work: Work }
  | { readonly kind: 'piece'; readonly piece: GpuBlock };

export interface ServerJob {
  readonly id: number;
  readonly priority: Priority;
  readonly asked: Asked;
  /** Of its frame. Its answer is no larger than that, or than 8 MiB. */
  readonly bytes: number;
}

/** The question for the state of a kernel: nothing runs for it. */
export type StateJob = Pick<ServerJob, 'id' | 'bytes'>;

/** What a connection asks of its server. */
export interface ConnectionOwner {
  readonly token: string | undefined;
  readonly adapter: string;
  /** What runs calls of contracts. */
  readonly lane: LaneDevice;
  /** By hash, as far as a client has sent it. */
  programOf(hash: string): Program | undefined;
  /** Wants the state of the kernel of a program, by `Connection.tellState` or `fail`. */
  askState(connection: Connection, job: StateJob, source: Uint8Array): void;
  /** Whether there is room for so many more bytes; if so, they are taken. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  add(connection: Connection, job: ServerJob): void;
  /** `why`: the client broke the protocol; undefined: it went. */
  gone(connection: Connection, why: string | undefined): void;
}

/** One client of a GPU server. Nothing is allocated for it beyond what it may have. */
export class Connection {
  readonly #reader: FrameReader;
  #isWelcome = false;
  /** Bytes that were reserved for it. */
  #held = 0;
  #jobs = 0;
  readonly #came = performance.now();
  #moved = this.#came;
  #isGone = false;

  constructor(
    readonly socket: Socket,
    private readonly owner: ConnectionOwner,
  ) {
    this.#reader = new FrameReader({
      get most() {
        return limit();
      },
      reserve: (bytes) => this.#reserve(bytes),
      take: (frame) => this.#take(frame),
      tooLong: (bytes) => this.drop(`a frame of ${bytes} bytes`),
    });
    const limit = (): number => (this.#isWelcome ? MOST_FRAME : MOST_TOKEN + 2);
    socket.on('data', (chunk) => this.#hear(chunk));
    socket.on('drain', () => {
      this.#moved = performance.now();
    });
    socket.on('error', () => this.drop(undefined));
    socket.on('close', () => this.drop(undefined));
  }

  /** There may be room again for a frame that waits. */
  resume(): void {
    if (!this.#isGone && this.socket.isPaused() && this.#reader.resume()) this.socket.resume();
  }

  answer(job: ServerJob, answer: WorkAnswer): void {
    this.#jobs--;
    this.#send({ kind: 'answer', id: job.id, answer }, job.bytes);
  }

  /** `columns`: what the kernel left of a piece. */
  tellOutcomes(job: ServerJob, columns: Columns): void {
    this.#jobs--;
    this.#send({ kind: 'outcomes', id: job.id, columns }, job.bytes);
  }

  tellState(job: StateJob, state: ProgramState, reason: string): void {
    this.#jobs--;
    this.#send({ kind: 'state', id: job.id, state, reason: reason.slice(0, 500) }, job.bytes);
  }

  fail(job: StateJob, code: string, text: string): void {
    this.#jobs--;
    this.#send({ kind: 'failure', id: job.id, code, text: text.slice(0, 500) }, job.bytes);
  }

  /** Drops a client that has stalled; tells one that waits that its server is there. */
  look(): void {
    if (this.#jobs > 0 && !this.socket.writableNeedDrain) this.#send({ kind: 'alive' }, 0);
    const waits = !this.#isWelcome || this.#reader.isInside || this.socket.writableNeedDrain;
    // A stranger may not hold its place by a byte now and then.
    const since = this.#isWelcome ? this.#moved : this.#came;
    if (waits && performance.now() - since > STALLED_MS) this.drop('it has stalled');
  }

  drop(why: string | undefined): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.socket.destroy();
    this.owner.release(this.#held);
    this.#held = 0;
    this.owner.gone(this, why);
  }

  #hear(chunk: Uint8Array): void {
    if (this.#isGone) return;
    this.#moved = performance.now();
    if (!this.#reader.push(chunk)) this.socket.pause();
  }

  #reserve(bytes: number): boolean {
    if (this.#jobs >= MOST_JOBS || (this.#held > 0 && this.#held + bytes > MOST_OF_CLIENT)) return false;
    if (!this.owner.reserve(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  #take(frame: Uint8Array): void {
    if (this.#isGone) return;
    let message: Message;
    try {
      message = decodeMessage(frame);
    } catch (error) {
      this.drop(error instanceof Error ? error.message : 'a frame that is none');
      return;
    }
    if (message.kind === 'hello' && !this.#isWelcome) this.#greet(message.version, message.token, frame.length);
    else if (message.kind === 'job' && this.#isWelcome) this.#begin(message, frame.length);
    else if (message.kind === 'calls' && this.#isWelcome) this.#beginCalls(message, frame.length);
    else if (message.kind === 'program' && this.#isWelcome) {
      this.#jobs++;
      this.owner.askState(this, { id: message.id, bytes: frame.length }, message.source);
    } else this.drop('a frame out of turn');
  }

  #greet(version: number, token: string, bytes: number): void {
    const { token: own, adapter, lane } = this.owner;
    if (version !== VERSION) {
      this.drop(`version ${version} of the protocol`);
    } else if (own !== undefined && !tokensEqual(own, token)) {
      this.drop('the token is wrong');
    } else {
      this.#isWelcome = true;
      this.#send({ kind: 'welcome', version: VERSION, lane, adapter }, bytes);
    }
  }

  #begin({ id, priority, work }: Extract<Message, { kind: 'job' }>, bytes: number): void {
    if (unitsOf(work) > (work.kind === 'sha256' ? MOST_JOB_HASHES : MOST_JOB_SIGNATURES)) {
      this.drop('a job of too many units');
      return;
    }
    this.#jobs++;
    this.owner.add(this, { id, priority, asked: { kind: 'work', work }, bytes });
  }

  #beginCalls({ id, priority, seed, columns }: Extract<Message, { kind: 'calls' }>, bytes: number): void {
    let piece: GpuBlock | undefined;
    try {
      piece = decodeCalls(seed, columns, (hash) => this.owner.programOf(hash));
    } catch (error) {
      this.drop(error instanceof Error ? error.message : 'calls that are none');
      return;
    }
    this.#jobs++;
    // Of a program that was forgotten the client sends the code again.
    if (piece === undefined) this.#answerNothing(id, bytes);
    else this.owner.add(this, { id, priority, asked: { kind: 'piece', piece }, bytes });
  }

  #answerNothing(id: number, bytes: number): void {
    this.#jobs--;
    this.#send({ kind: 'outcomes', id, columns: [] }, bytes);
  }

  /** Writes a message; `held` bytes are free when it has left. */
  #send(message: Message, held: number): void {
    if (this.#isGone) return;
    const parts = encodeMessage(message);
    this.socket.cork();
    this.socket.write(frameHead(parts));
    parts.forEach((part, i) => {
      this.socket.write(part, i === parts.length - 1 ? () => this.#release(held) : undefined);
    });
    this.socket.uncork();
  }

  #release(bytes: number): void {
    if (this.#isGone) return;
    this.#moved = performance.now();
    this.#held -= bytes;
    this.owner.release(bytes);
  }
}
