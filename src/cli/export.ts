import { type ExportReport, exportChain } from '../export/export-chain.js';
import type { Format } from '../export/formats.js';
import { TABLE_NAMES } from '../export/tables.js';
import { openBeside } from '../store/shared-files.js';
import { statusLine } from '../util/status-line.js';

/** As after SIGINT and SIGTERM: what was written stays, and the same command goes on with it. */
const STOPPED_STATUS = 130;

/** `warpshrew export --db DIR --to DIR`. */
export async function exportCommand(options: {
  readonly db: string;
  readonly to: string;
  readonly format?: Format;
  readonly from?: number;
  readonly until?: number;
  readonly blocksPerFile?: number;
  readonly json?: boolean;
}): Promise<{ text: string; exitStatus: number }> {
  const { db, to: folder, json = false, ...of } = options;
  const stop = new AbortController();
  const hear = (): void => stop.abort();
  process.once('SIGINT', hear).once('SIGTERM', hear);
  const line = statusLine();
  const shared = await openBeside(db);
  try {
    const report = await exportChain(shared.store, {
      ...of,
      folder,
      signal: stop.signal,
      onBlock: (height, until) => line.show(() => `export  block ${height} of ${until}`),
    });
    line.clear();
    const text = json ? JSON.stringify(report) : reportText(report, folder);
    return { text, exitStatus: report.stopped ? STOPPED_STATUS : 0 };
  } finally {
    line.clear();
    await shared.close();
    process.off('SIGINT', hear).off('SIGTERM', hear);
  }
}

function reportText(report: ExportReport, folder: string): string {
  const { from, to, parts, written, undone, rows, bytes, format, stopped } = report;
  const blocks = to < from ? 'no block' : `blocks ${from} to ${to}`;
  const count = parts === 1 ? 'one file' : `${parts} files`;
  const lines = [`${folder}: ${blocks}, ${count} a table (${format}), ${bytes} bytes; written now: ${written}`];
  if (undone > 0) lines.push(`files of blocks that are not in the chain any more, deleted: ${undone}`);
  lines.push(TABLE_NAMES.map((table) => `${table} ${rows[table]}`).join(', '));
  if (stopped) lines.push('stopped before the end: the same command goes on');
  return lines.join('\n');
}
