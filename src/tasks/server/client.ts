import { EnvironmentError } from '../../errors/errors.js';
import { slicesOf } from '../work/slices.js';
import { type Backend, hasShape, mergedAnswers, type Work, type WorkAnswer } from '../work/work.js';
import { type LinkOptions, ServerLink } from './link.js';
import { MOST_JOB_BYTES, MOST_JOB_HASHES, MOST_JOB_SIGNATURES, type Priority } from './messages.js';

/** Jobs of a batch that are with the server at a time. */
const AT_A_TIME = 4;

export interface RemoteOptions extends LinkOptions {
  readonly priority: Priority;
}

/** The kernel of a GPU server, for batch tasks. */
export class RemoteBackend implements Backend {
  readonly #link: ServerLink;
  readonly #priority: Priority;

  /** Rejects with EnvironmentError GPU_UNAVAILABLE if there is no server, or it does not want this client. */
  static async connect(options: RemoteOptions): Promise<RemoteBackend> {
    return new RemoteBackend(await ServerLink.connect(options), options.priority);
  }

  private constructor(link: ServerLink, priority: Priority) {
    this.#link = link;
    this.#priority = priority;
  }

  /** Name of the server's adapter. */
  get adapter(): string {
    return this.#link.adapter;
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
    this.#link.close();
  }

  async #ask(work: Work): Promise<WorkAnswer> {
    const priority = this.#priority;
    const { answer } = await this.#link.ask((id) => ({ kind: 'job', id, priority, work }));
    if (hasShape(work, answer)) return answer;
    throw new EnvironmentError('GPU_FAILED', 'the GPU server sent an answer of another shape');
  }
}
