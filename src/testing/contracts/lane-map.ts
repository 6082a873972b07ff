/** The parallel lane over a map, one transaction at a time: the sequential executor, which is the truth. */
import { parseBlock } from '../../bitcoin/parse-block.js';
import { runSequential } from '../../execute/sequential.js';
import type { CpuRunner } from '../../execute/tasks/drive.js';
import { scanBlock } from '../../lane/scan.js';
import type { LaneKey, LaneOutcome } from '../../lane/types.js';

export class LaneMap {
  readonly state: Map<LaneKey, Uint8Array>;
  readonly #runner: CpuRunner;

  constructor(runner: CpuRunner, state: ReadonlyMap<LaneKey, Uint8Array> = new Map()) {
    this.#runner = runner;
    this.state = new Map(state);
  }

  /** Runs the lane transactions of a raw block and keeps what they write. */
  run(raw: Uint8Array, height: number): LaneOutcome[] {
    const block = parseBlock(raw);
    const reader = { get: (key: LaneKey) => this.state.get(key) };
    const context = { height, block: block.raw, laneStartHeight: 0, dependent: 'demote' } as const;
    const outcomes = runSequential(scanBlock(block, reader), context, reader, this.#runner);
    for (const { writes } of outcomes) {
      for (const [key, value] of writes) {
        if (value === undefined) this.state.delete(key);
        else this.state.set(key, value);
      }
    }
    return outcomes;
  }
}
