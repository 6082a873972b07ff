import { rmSync } from 'node:fs';
import { UsageError } from '../errors/errors.js';
import { OPTIONS } from '../service/options.js';
import { RollbackClock } from '../service/rollback-clock.js';
import { SinkFeed } from '../sink/sink-feed.js';
import { NEW_SINK, type SinkStatus } from '../sink/sink-status.js';
import { openBeside, scratchFolder } from '../store/shared-files.js';
import { statusLine } from '../util/status-line.js';

/** `warpshrew sink URL --db DIR`: brings the tables to the newest block, once. */
export async function sinkCommand(
  given: string,
  options: { readonly db: string; readonly schema?: string; readonly json?: boolean },
): Promise<{ text: string; exitStatus: number }> {
  const { url, schema } = checked(given, options.schema);
  const stop = new AbortController();
  const hear = (): void => stop.abort();
  process.once('SIGINT', hear).once('SIGTERM', hear);
  const line = statusLine();
  const shared = await openBeside(options.db);
  const { store } = shared;
  const tip = store.tip()?.height;
  let status: SinkStatus = NEW_SINK;
  const folder = scratchFolder(options.db);
  try {
    await new SinkFeed({
      store,
      url,
      schema,
      folder,
      // Nothing writes what is read here.
      undoing: new RollbackClock(),
      changed: async () => undefined,
      signal: stop.signal,
      once: true,
      onStatus: (now) => {
        status = now;
        line.show(() => `sink  block ${now.height ?? '-'} of ${tip ?? '-'}`);
      },
    }).run();
    line.clear();
    const { height, blocks, undone, rows, trouble } = status;
    const isWhole = height === tip;
    const report = { height: height ?? null, tip: tip ?? null, blocks, undone, rows };
    const end = trouble === undefined ? '' : `; ${trouble.code}: ${trouble.message}`;
    const at = `block ${height ?? '-'} of ${tip ?? '-'}`;
    const text = `${at}; written now: ${blocks} blocks, ${rows} rows; undone: ${undone}${end}`;
    return { text: options.json === true ? JSON.stringify(report) : text, exitStatus: isWhole ? 0 : 1 };
  } finally {
    line.clear();
    rmSync(folder, { recursive: true, force: true });
    await shared.close();
    process.off('SIGINT', hear).off('SIGTERM', hear);
  }
}

/** As the settings of `index` are read. Throws UsageError USAGE_SINK. */
function checked(url: string, schema: string | undefined): { readonly url: string; readonly schema: string } {
  try {
    const read = OPTIONS.sink.read(url);
    if (read === undefined) throw new Error('must be an address');
    return { url: read, schema: OPTIONS.sinkSchema.read(schema ?? OPTIONS.sinkSchema.fallback) };
  } catch (cause) {
    throw new UsageError('USAGE_SINK', 'the address of the database, or the name of the schema, cannot be used', {
      facts: { reason: cause instanceof Error ? cause.message : String(cause) },
      hint: 'postgres://user@host/database; the password is taken from PGPASSWORD, too.',
      cause,
    });
  }
}
