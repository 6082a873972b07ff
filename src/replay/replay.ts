import { parseBlock } from '../bitcoin/parse-block.js';
import { openSource } from '../bitcoin/sources.js';
import { verifyBlock } from '../bitcoin/verify-block.js';
import { InputError } from '../errors.js';
import { LaneEngine } from '../execute/engine.js';
import type { Policy } from '../execute/schedule.js';
import type { GpuLane } from '../gpu/types.js';
import { DefaultModule } from '../standard/default-module.js';
import { StandardLane } from '../standard/lane.js';
import { Store } from '../store/store.js';
import { bytesEqual, fromBinaryString, toDisplayHash } from '../util/bytes.js';
import { type Progress, SILENT } from './progress.js';
import { type ReplaySummary, StatisticsSum } from './summary.js';

export interface ReplayOptions {
  /** Fixture chain, folder of raw blocks or one raw block file. */
  readonly path: string;
  readonly dbDir: string;
  readonly policy: Policy;
  /** The standard lane's module; the project's own indexer if undefined. */
  readonly indexer?: Uint8Array;
  readonly from?: number;
  readonly to?: number;
  readonly gpu?: GpuLane;
  readonly laneStartHeight?: number;
  readonly dependent?: 'demote' | 'reject';
  readonly workers?: number;
  readonly progress?: Progress;
  /** Called after every commit. */
  readonly onBlock?: (height: number, stateRoot: string) => void;
}

export { type ReplaySummary, StatisticsSum, fromBinaryString, toDisplayHash, bytesEqual, parseBlock, openSource, verifyBlock, InputError, LaneEngine, DefaultModule, StandardLane, Store, SILENT };
