import { StoreError } from '../errors/errors.js';
import type { CpuRunner } from '../execute/tasks/drive.js';
import type { StateReader } from '../lane/types.js';
import { list, outpoint } from '../listing/list.js';
import type { StoreReader } from '../store/reader.js';
import type { Metas } from './meta.js';
import { prefixRoot } from './prefix-root.js';
import type { LaneViewTask } from './protocol.js';
import { rerun } from './rerun.js';
import { simulate } from './simulate.js';

/** What lane views are answered from. */
export interface AnswerBase {
  readonly store: StoreReader;
  /** The lane's state after a block. */
  readonly stateAt: (height: number) => StateReader;
  readonly runner: CpuRunner;
  readonly metas: Metas;
  /** Characters that an answer may have, about. */
  readonly answerBytes: number;
}

/** The answer to a task, made in this thread. Throws a WarpshrewError. */
export function answerTask(task: LaneViewTask, { store, stateAt, runner, metas, answerBytes }: AnswerBase): unknown {
  const { height } = task.request;
  if (task.kind !== 'list' && store.blockHash(height) === undefined) {
    throw new StoreError('STORE_REORG_UNDER_WAY', 'the block was undone meanwhile', {
      facts: { height },
      hint: 'Ask again.',
    });
  }
  switch (task.kind) {
    case 'simulate':
      return simulate(task.request, { state: stateAt(height), chain: store, runner, answerBytes });
    case 'list':
      return list(task.request, store);
    case 'outpoint':
      return outpoint(task.request, store);
    case 'meta':
      return metas.of(task.request.id, stateAt(height));
    case 'prefixRoot':
      return prefixRoot(store, task.request);
    case 'trace':
      return rerun(task.request, { before: stateAt(height - 1), chain: store, runner, answerBytes });
  }
}
