import { type Backend, roomFor, unitsOf, type Work, type WorkAnswer, type WorkKind } from '../work/work.js';
import type { TaskDevice } from './device.js';
import { Pace } from './pace.js';
import { type Segment, segmentsOf } from './segments.js';

/**
 * Segments handed to the device at a time. Hashes: one is computed while the next is packed and the one before is read
 * back. Signatures: what one takes, waiting included, says how large the next may be, so no more than one waits.
 */
const IN_FLIGHT: Readonly<Record<WorkKind, number>> = { sha256: 3, forest: 3, schnorr: 2, ecdsa: 2 };

interface KernelBackendOptions {
  /** Most bytes of messages or leaves of a segment, in the place of what suits most devices. */
  readonly segmentBytes?: number;
  /** Segments under way at a time; 1: none overlaps with another. Default: two or three, by the kind of work. */
  readonly inFlight?: number;
}

/** Does work in the kernel, segment by segment. */
export class KernelBackend implements Backend {
  readonly #pace: Pace;

  constructor(
    readonly device: TaskDevice,
    private readonly options: KernelBackendOptions = {},
  ) {
    this.#pace = new Pace(device.adapter.software);
  }

  /** Rejects with the EnvironmentError of the first segment that fails. `work` must not change meanwhile. */
  async run(work: Work): Promise<WorkAnswer> {
    const { segmentBytes, inFlight = IN_FLIGHT[work.kind] } = this.options;
    const { mostBytes } = this.device;
    const flags: Promise<boolean>[] = [];
    await this.device.prepare(work.kind);
    const room = roomFor(work);
    for (const segment of segmentsOf(work, room, { mostBytes, segmentBytes, pace: () => this.#pace.most })) {
      if (flags.length >= inFlight) await flags[flags.length - inFlight];
      const flag = this.#timed(segment);
      // Awaited below, perhaps after another one has failed.
      flag.catch(() => undefined);
      flags.push(flag);
    }
    return { ...room, mutated: (await Promise.all(flags)).includes(true) };
  }

  close(): Promise<void> {
    return this.device.close();
  }

  async #timed(segment: Segment): Promise<boolean> {
    const started = performance.now();
    const flag = await this.device.run(segment);
    if (segment.kind === 'schnorr' || segment.kind === 'ecdsa') {
      this.#pace.note(unitsOf(segment.work), performance.now() - started);
    }
    return flag;
  }
}
