import type { JSX } from 'preact';
import { count, whole } from '../data/format.js';
import type { Graph } from '../data/graph.js';
import { EXECUTOR_NAMES, type ExecutorName } from '../ui/shares.js';

/** Columns at most: beyond it several batches share one. */
const COLUMNS = 120;
const LANES = Object.keys(EXECUTOR_NAMES) as ExecutorName[];
/** Height of a lane, and of the bar of a single transaction. */
const HEIGHT = 26;
const LEAST = 3;

interface Column {
  readonly counts: Record<ExecutorName, number>;
  /** The batches of it; undefined: what was demoted, and ran behind them. */
  readonly batches: readonly [number, number] | undefined;
}

/** What ran how much of each batch. */
export function Timeline({ graph }: { graph: Graph }): JSX.Element {
  const columns = columnsOf(graph);
  const lanes = LANES.filter((lane) => graph.executors[lane] > 0);
  const most = columns.reduce((so, { counts }) => Math.max(so, ...Object.values(counts)), 1);
  const summary = lanes.map((lane) => `${EXECUTOR_NAMES[lane]} ${graph.executors[lane]}`).join(', ');
  return (
    <div class="timeline">
      <ul class="timeline-names">
        {lanes.map((lane) => (
          <li key={lane}>{EXECUTOR_NAMES[lane]}</li>
        ))}
        <li class="quiet">batch</li>
      </ul>
      <div
        class="timeline-lanes"
        role="img"
        aria-label={`${count(graph.colours, 'batch').replace('batchs', 'batches')}: ${summary}`}
      >
        {columns.map((column) => (
          <div key={String(column.batches)} class="timeline-column">
            {lanes.map((lane) => (
              <div key={lane} class="timeline-cell" title={titleOf(column, lane)}>
                {column.counts[lane] > 0 && (
                  <i class={`run-${lane}`} style={{ height: `${heightOf(column.counts[lane], most)}px` }} />
                )}
              </div>
            ))}
            <div class="timeline-batch">{nameOf(column, columns.length)}</div>
          </div>
        ))}
      </div>
    </div>
  );
}

/** The root, so that small batches are seen beside large ones. */
function heightOf(of: number, most: number): number {
  return LEAST + (HEIGHT - LEAST) * Math.sqrt(of / most);
}

function columnsOf({ nodes, colours }: Graph): Column[] {
  const perColumn = Math.max(1, Math.ceil(colours / COLUMNS));
  const columns = Array.from({ length: Math.ceil(colours / perColumn) }, (_, at): Column => {
    const first = at * perColumn + 1;
    return { counts: none(), batches: [first, Math.min(colours, first + perColumn - 1)] };
  });
  const behind: Column = { counts: none(), batches: undefined };
  for (const { colour, executor } of nodes) {
    const column = colour === 0 ? behind : columns[Math.floor((colour - 1) / perColumn)];
    column.counts[executor]++;
  }
  return Object.values(behind.counts).some((of) => of > 0) ? [...columns, behind] : columns;
}

const none = (): Record<ExecutorName, number> => ({ reuse: 0, gpu: 0, cpu: 0, sequential: 0 });

function titleOf({ batches, counts }: Column, lane: ExecutorName): string {
  const [first, last] = batches ?? [0, 0];
  const of = batches === undefined ? 'demoted' : first === last ? `batch ${first}` : `batches ${first} to ${last}`;
  return `${of}: ${count(counts[lane], 'transaction')}, ${EXECUTOR_NAMES[lane]}`;
}

/** Not every column has room for its number. */
function nameOf({ batches }: Column, columns: number): string {
  if (batches === undefined) return 'd';
  const every = Math.ceil(columns / 20);
  return (batches[0] - 1) % every === 0 ? whole(batches[0]) : '';
}
