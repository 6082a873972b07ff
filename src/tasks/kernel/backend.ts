import { type Backend, mergedAnswers, unitsOf, type Work, type WorkAnswer } from '../work/work.js';
import type { TaskDevice } from './device.js';
import { Pace } from './pace.js';
import { type Segment, segmentsOf } from './segments.js';

/** Segments handed to the device at a time: one is computed while another is written or read back. */
const HANDED = 2;

/** Does work in the kernel, segment by segment. */
export class KernelBackend implements Backend {
  readonly #pace: Pace;

  constructor(readonly device: TaskDevice) {
    this.#pace = new Pace(device.adapter.software);
  }

  /** Rejects with the EnvironmentError of the first segment that fails. `work` must not change meanwhile. */
  async run(work: Work): Promise<WorkAnswer> {
    const answers: Promise<WorkAnswer>[] = [];
    await this.device.prepare(work.kind);
    for (const segment of segmentsOf(work, this.device.mostBytes, () => this.#pace.most)) {
      if (answers.length >= HANDED) await answers[answers.length - HANDED];
      const answer = this.#timed(segment);
      // Awaited below, perhaps after another one has failed.
      answer.catch(() => undefined);
      answers.push(answer);
    }
    return mergedAnswers(await Promise.all(answers));
  }

  close(): Promise<void> {
    return this.device.close();
  }

  async #timed(segment: Segment): Promise<WorkAnswer> {
    const started = performance.now();
    const answer = await this.device.run(segment);
    if (segment.kind === 'schnorr' || segment.kind === 'ecdsa') {
      this.#pace.note(unitsOf(segment.work), performance.now() - started);
    }
    return answer;
  }
}
