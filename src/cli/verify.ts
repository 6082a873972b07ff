/** `warpshrew verify`: runs stored blocks once more and compares. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT, StoreError, UsageError } from '../errors/errors.js';
import { LaneEngine } from '../execute/engine.js';
import { lowestReadable } from '../export/read-blocks.js';
import { requireConfig } from '../service/config.js';
import { createLogger } from '../service/log.js';
import { openChain } from '../service/open-source.js';
import type { Settings } from '../service/options.js';
import { StandardIndexer } from '../standard/standard-indexer.js';
import type { StoreReader } from '../store/reader.js';
import { openBeside } from '../store/shared-files.js';
import { defaultIndexer } from '../util/built-wasm.js';
import { statusLine } from '../util/status-line.js';
import type { Difference } from '../verify/compare-block.js';
import { type Verified, verifyChain, type WorkFilter } from '../verify/verify-chain.js';
import { readModuleFile } from './files.js';

/** As after SIGINT and SIGTERM. */
const STOPPED_STATUS = 130;
const ALL: WorkFilter = { divisor: 1, remainder: 0 };

interface Asked {
  readonly from?: number;
  readonly to?: number;
  readonly workFilter?: WorkFilter;
  readonly json?: boolean;
}

/**
 * Takes the settings of `index` about source, database and module. Throws UsageError USAGE_CONFIG and USAGE_RANGE,
 * StoreError, among them STORE_MODULE_MISMATCH, and what {@link verifyChain} throws.
 */
export async function verifyCommand(
  flags: Readonly<Record<string, unknown>> & Asked,
): Promise<{ text: string; exitStatus: number }> {
  const { settings } = requireConfig({ flags, environment: process.env });
  const stop = new AbortController();
  const hear = (): void => stop.abort();
  process.once('SIGINT', hear).once('SIGTERM', hear);
  const line = statusLine();
  const shared = await openBeside(settings.db);
  try {
    const { store } = shared;
    const [from, to] = rangeOf(store, flags);
    const filter = flags.workFilter ?? ALL;
    const verified = await withEngine(settings, flags, store, (means) =>
      verifyChain({
        ...means,
        store,
        from,
        to,
        filter,
        signal: stop.signal,
        onBlock: (height) => line.show(() => `verify  block ${height} of ${to}`),
      }),
    );
    line.clear();
    const { different, stopped } = verified;
    const text = flags.json
      ? JSON.stringify({ from, to, ...filter, ...verified, different: different ?? null })
      : reportText(verified, from, to, filter);
    return { text, exitStatus: stopped ? STOPPED_STATUS : different === undefined ? 0 : EXIT.check };
  } finally {
    line.clear();
    await shared.close();
    process.off('SIGINT', hear).off('SIGTERM', hear);
  }
}

type Means = Pick<Parameters<typeof verifyChain>[0], 'engine' | 'standard' | 'source' | 'folder'>;

async function withEngine(
  settings: Settings,
  flags: Readonly<Record<string, unknown>>,
  store: StoreReader,
  use: (means: Means) => Promise<Verified>,
): Promise<Verified> {
  const { laneStartHeight = 0, dependent = 'demote', moduleHash } = store.identity();
  const moduleBytes = settings.indexer === undefined ? defaultIndexer() : readModuleFile(settings.indexer);
  const own = StandardIndexer.hashOf(moduleBytes);
  if (own !== moduleHash) {
    throw new StoreError('STORE_MODULE_MISMATCH', 'the database was made with another standard module', {
      facts: { stored: moduleHash, given: own },
      hint: 'Name its module with --indexer.',
    });
  }
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, label: settings.label });
  const chain = await openChain(settings, (message, facts) => log.warn(facts, message), flags);
  const engine = new LaneEngine({ policy: 'sequential', workers: 0, laneStartHeight, dependent });
  const standard = new StandardIndexer({ moduleBytes, storeHandle: store.database.handle });
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-verify-'));
  try {
    return await use({ engine, standard, source: chain.source, folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await standard.close();
    await engine.close();
    await chain.close();
  }
}

/** All blocks whose changes and state before can be told, if nothing else is asked for. */
function rangeOf(store: StoreReader, asked: Asked): readonly [from: number, to: number] {
  const tip = store.tip()?.height ?? -1;
  const lowest = lowestReadable(store);
  const { from = lowest, to = tip } = asked;
  if (from >= lowest && from <= to && to <= tip) return [from, to];
  throw new UsageError('USAGE_RANGE', 'these are not blocks of the database that can be run again', {
    facts: { from, to, lowest, tip },
    hint: 'Choose heights from the lowest whose state is kept to the tip.',
  });
}

function reportText(verified: Verified, from: number, to: number, { divisor, remainder }: WorkFilter): string {
  const { blocks, transactions, changes, receipts, different, stopped } = verified;
  const which = divisor === 1 ? '' : ` with height mod ${divisor} = ${remainder}`;
  const sums = `${blocks} blocks (${from} to ${to}${which}): ${transactions} transactions, ${changes} changes`;
  const lines = [`${sums}, ${receipts} receipts as stored`];
  if (stopped) lines.push('stopped before the end');
  if (different !== undefined) lines.push(`block ${different.height} differs: ${textOf(different.difference)}`);
  return lines.join('\n');
}

function textOf(difference: Difference): string {
  if (difference.what === 'hash') return `it is ${difference.stored}, the source has ${difference.given}`;
  if (difference.what === 'receipt') return `the receipt of ${difference.txid} (transaction ${difference.index})`;
  const { what, key, stored, found } = difference;
  return `${what} key ${key}: stored ${stored ?? 'unchanged'}, running it gives ${found ?? 'unchanged'}`;
}
