import type { Failure } from '../errors/errors.js';

/**
 * `connecting`: the database is opened, or waited for; `writing`: rows are on their way; `following`: all blocks of the
 * index are there; `ahead`: more than those are; `failed`: nothing more is written; `stopped`: it was asked to end.
 */
export type SinkPhase = 'connecting' | 'writing' | 'following' | 'ahead' | 'failed' | 'stopped';

/** How the sink is doing. Counters count from the start of the process. */
export interface SinkStatus {
  readonly phase: SinkPhase;
  /** Of the last block whose rows are there; undefined: none, or not known yet. */
  readonly height: number | undefined;
  readonly blocks: number;
  readonly undone: number;
  readonly rows: number;
  /** Times that something went wrong, by code. */
  readonly failures: Readonly<Record<string, number>>;
  /** What is wrong now. */
  readonly trouble: Failure | undefined;
}

/** Indexed blocks that the sink lacks; undefined while its place is not known, and there is a block. */
export function sinkBehind({ height, phase }: SinkStatus, tip: number | undefined): number | undefined {
  if (tip === undefined) return undefined;
  if (height !== undefined) return Math.max(0, tip - height);
  return phase === 'writing' ? tip + 1 : undefined;
}

export const NEW_SINK: SinkStatus = {
  phase: 'connecting',
  height: undefined,
  blocks: 0,
  undone: 0,
  rows: 0,
  failures: {},
  trouble: undefined,
};
