/** Writes the tables of a stored chain into files (docs/data-out.md). */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { UsageError } from '../errors/errors.js';
import type { StoreReader } from '../store/reader.js';
import { toDisplayHash } from '../util/bytes.js';
import { claimFolder, deleteOthers } from './export-folder.js';
import type { Format } from './formats.js';
import { type ExportKind, type Manifest, type Part, readManifest, writeManifest } from './manifest.js';
import { PartWriter } from './part-writer.js';
import { lowestReadable, readBlocks } from './read-blocks.js';
import { TABLE_NAMES, TABLES_VERSION, type TableName } from './tables.js';

const DEFAULT_FORMAT: Format = 'parquet';
const DEFAULT_BLOCKS = 1_000;

export interface ExportOptions {
  readonly folder: string;
  /** As the folder has it, or Parquet, if not given. */
  readonly format?: Format;
  /** As the folder has it, or 1,000, if not given. */
  readonly blocksPerFile?: number;
  /** First height; as the folder has it, or the first of the store, if not given. */
  readonly from?: number;
  /** Last height; the tip if not given. */
  readonly until?: number;
  /** Ends it between two blocks; what is whole stays. */
  readonly signal?: AbortSignal;
  readonly onBlock?: (height: number, until: number) => void;
}

export interface ExportReport {
  readonly from: number;
  /** Of the last block in the folder; below `from`: there is none. */
  readonly to: number;
  readonly format: Format;
  /** Parts that are there, were written now, and were deleted because their blocks were undone. */
  readonly parts: number;
  readonly written: number;
  readonly undone: number;
  /** Rows of all parts. */
  readonly rows: Readonly<Record<TableName, number>>;
  readonly bytes: number;
  /** Whether it ended early. */
  readonly stopped: boolean;
}

/**
 * Brings the files of the folder to the height `until`. Throws UsageError USAGE_HEIGHT_NOT_INDEXED, USAGE_RANGE or
 * USAGE_EXPORT, InputError EXPORT_MANIFEST, EnvironmentError ENV_EXPORT_BUSY or ENV_UNWRITABLE, StoreError
 * STORE_HISTORY_PRUNED.
 */
export async function exportChain(store: StoreReader, options: ExportOptions): Promise<ExportReport> {
  const release = claimFolder(options.folder);
  try {
    return await exported(store, options);
  } finally {
    release();
  }
}

async function exported(store: StoreReader, options: ExportOptions): Promise<ExportReport> {
  const { folder, signal, onBlock } = options;
  const before = readManifest(folder);
  const kind = kindOf(store, options, before);
  const until = untilOf(store, options, kind.from);
  const there = partsThere(store, folder, before?.parts ?? []);
  const undone = (before?.parts.length ?? 0) - there.length;
  // What is not true any more goes at once; a part that is only too short stays until a longer one is whole.
  if (undone > 0 || before === undefined) writeManifest(folder, { ...kind, parts: there });
  deleteOthers(folder, there);
  const parts = standing(there, kind.blocksPerFile, until);
  const next = (parts.at(-1)?.to ?? kind.from - 1) + 1;
  let written = 0;
  let writer: PartWriter | undefined;
  let at = next;
  try {
    for await (const block of next > until ? [] : readBlocks(store, next, until, { folder, signal })) {
      writer ??= new PartWriter(folder, block.height, kind.format);
      writer.add(block);
      at = block.height + 1;
      onBlock?.(block.height, until);
      if (at % kind.blocksPerFile === 0 || at > until) {
        parts.push(writer.end(block));
        writer = undefined;
        written++;
        writeManifest(folder, { ...kind, parts });
        deleteOthers(folder, parts);
      }
      await turn();
      if (signal?.aborted === true) break;
    }
  } finally {
    writer?.discard();
  }
  const left = written > 0 ? parts : there;
  return { ...summary(kind, left), written, undone, stopped: at <= until };
}

/** What the folder holds, or will hold. Throws UsageError USAGE_EXPORT where both differ. */
function kindOf(store: StoreReader, options: ExportOptions, before: Manifest | undefined): ExportKind {
  const wanted: ExportKind = {
    tables: TABLES_VERSION,
    format: options.format ?? before?.format ?? DEFAULT_FORMAT,
    blocksPerFile: options.blocksPerFile ?? before?.blocksPerFile ?? DEFAULT_BLOCKS,
    from: options.from ?? before?.from ?? lowestReadable(store),
    chain: store.identity(),
  };
  if (before === undefined) return wanted;
  const { parts: _, ...recorded } = before;
  for (const [name, value] of Object.entries(factsOf(wanted))) {
    const there = factsOf(recorded)[name];
    if (there === value) continue;
    throw new UsageError('USAGE_EXPORT', 'the folder holds files of another export', {
      facts: { folder: options.folder, what: name, there: String(there), wanted: String(value) },
      hint: 'Give the settings of before, or leave them out; or export into another folder.',
    });
  }
  return wanted;
}

/** An index by address changes nothing of what is exported. */
function factsOf({ chain: { addresses: _, ...chain }, ...of }: ExportKind): Readonly<Record<string, string | number>> {
  return { ...of, ...chain };
}

function untilOf(store: StoreReader, { from: wantedFrom, until: wanted }: ExportOptions, from: number): number {
  const tip = store.tip()?.height ?? -1;
  const until = wanted ?? tip;
  if (until > tip || (wantedFrom ?? 0) > tip) {
    throw new UsageError('USAGE_HEIGHT_NOT_INDEXED', 'the database has no block of that height', {
      facts: { height: Math.max(until, wantedFrom ?? 0), tip },
    });
  }
  if (wanted === undefined || wanted >= from) return until;
  throw new UsageError('USAGE_RANGE', 'the last height is below the first', { facts: { from, until } });
}

/** The parts whose last block is in the chain, which commits to those before it, and whose files are there. */
function partsThere(store: StoreReader, folder: string, parts: readonly Part[]): readonly Part[] {
  const gone = parts.findIndex((part) => !isOfChain(store, part) || !hasFiles(folder, part));
  return gone < 0 ? parts : parts.slice(0, gone);
}

/** Those of them that stay as they are: the last may have to become longer. */
function standing(there: readonly Part[], blocksPerFile: number, until: number): Part[] {
  const last = there.at(-1);
  const isLonger = last !== undefined && last.to < until && (last.to + 1) % blocksPerFile !== 0;
  return isLonger ? there.slice(0, -1) : [...there];
}

function isOfChain(store: StoreReader, { to, hash }: Part): boolean {
  const stored = store.blockHash(to);
  return stored !== undefined && toDisplayHash(stored) === hash;
}

function hasFiles(folder: string, { files }: Part): boolean {
  return TABLE_NAMES.every((table) => {
    const { path, bytes } = files[table];
    return statSync(join(folder, path), { throwIfNoEntry: false })?.size === bytes;
  });
}

function summary(
  kind: ExportKind,
  parts: readonly Part[],
): Pick<ExportReport, 'from' | 'to' | 'format' | 'parts' | 'rows' | 'bytes'> {
  const sum = (of: (part: Part) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const rows = TABLE_NAMES.map((table) => [table, sum(({ files }) => files[table].rows)] as const);
  return {
    from: kind.from,
    to: parts.at(-1)?.to ?? kind.from - 1,
    format: kind.format,
    parts: parts.length,
    rows: Object.fromEntries(rows) as Record<TableName, number>,
    bytes: sum(({ files }) => TABLE_NAMES.reduce((total, table) => total + files[table].bytes, 0)),
  };
}
