import { timeText } from '../util/status-line.js';
import { syncFigures } from './reporter.js';
import type { ServiceState } from './service-state.js';

/** The state of indexing in one line, for people. */
export function statusText(state: ServiceState): string {
  const { phase, head, failure, reorgs } = state;
  const at = head === undefined ? 'no block yet' : `block ${head.height}`;
  const trouble = state.waiting();
  if (failure !== undefined) return `failed: ${failure.code}  ${at}`;
  if (trouble !== undefined) return `${phase}: ${trouble.code} for ${timeText(trouble.seconds)}  ${at}`;
  const { target, blocksPerSecond, megabytesPerSecond, etaSeconds } = syncFigures(state);
  if (phase === 'syncing' && target !== undefined && head !== undefined) {
    const percent = target === 0 ? 100 : Math.floor((1000 * head.height) / target) / 10;
    const left = etaSeconds === undefined ? '' : `  ${timeText(etaSeconds)} left`;
    return `${phase}  ${at} of ${target}  ${percent}%  ${blocksPerSecond} blocks/s  ${megabytesPerSecond} MB/s${left}`;
  }
  const undone = reorgs === 0 ? '' : `  ${reorgs} reorgs`;
  return `${phase}  ${at}  up ${timeText(Math.floor(state.uptimeSeconds()))}${undone}`;
}

/** What a run did, for its last lines. */
export function runFigures(state: ServiceState): Readonly<Record<string, number | string>> {
  const { head, blocks, bytes, reorgs, blocksUndone, lanes } = state;
  return {
    ...(head !== undefined && { height: head.height }),
    ...(head?.roots !== undefined && { stateRoot: head.roots.state }),
    blocks,
    megabytes: Math.round(bytes / 1e5) / 10,
    laneTxs: lanes.lane.txs,
    reorgs,
    blocksUndone,
    seconds: Math.round(state.uptimeSeconds()),
  };
}
