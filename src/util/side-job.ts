/** What a thread that waits for jobs and the one that gives them have in common (side-thread.ts). */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { failureOf } from '../errors/errors.js';

/** Cells of the words that both share: {@link IDLE} to {@link FAILED}, the number of the last job, what it gave. */
export const STATE = 0;
export const JOB = 1;
export const RESULT = 2;
export const CONTROL_WORDS = 3;

export const IDLE = 0;
/** A job waits; whoever makes another state of this one has it. */
export const POSTED = 1;
export const TAKEN = 2;
const DONE = 3;
/** Why is a message. */
export const FAILED = 4;

export interface SideThreadData {
  readonly control: Int32Array;
  readonly port: MessagePort;
}

export interface NumberedJob<J> {
  readonly number: number;
  readonly job: J;
}

/** Does one job after the other, for good, and sleeps between; `run` gives a number that the waiting thread gets. */
export function serveJobs<J>({ control, port }: SideThreadData, run: (job: J) => number): never {
  for (;;) {
    const state = Atomics.load(control, STATE);
    if (state !== POSTED) {
      Atomics.wait(control, STATE, state);
      continue;
    }
    if (Atomics.compareExchange(control, STATE, POSTED, TAKEN) !== POSTED) continue;
    let end = DONE;
    try {
      Atomics.store(control, RESULT, run(takenJob<J>(control, port)));
    } catch (error) {
      port.postMessage(failureOf(error));
      end = FAILED;
    }
    Atomics.store(control, STATE, end);
    Atomics.notify(control, STATE);
  }
}

/** The job that was taken. Not before it is: until then the other thread may take it back and post another. */
function takenJob<J>(control: Int32Array, port: MessagePort): J {
  for (;;) {
    const posted: NumberedJob<J> | undefined = receiveMessageOnPort(port)?.message;
    if (posted === undefined) throw new Error('a job was posted without its message');
    if (posted.number === Atomics.load(control, JOB)) return posted.job;
  }
}
