import { basename } from 'node:path';
import { BlockOffsets } from '../bitcoin/block-offsets.js';
import { InputError, ProgramError, UsageError, type WarpshrewError } from '../errors/errors.js';
import { StandardIndexer, type StandardRun } from '../standard/standard-indexer.js';
import { EMPTY_BYTES, fromBinaryString, fromHex, toHex } from '../util/bytes.js';
import { PairsDigest } from '../util/pairs-digest.js';
import { readInputFile, readModuleFile } from './files.js';

/** Far above any block that a chain accepts. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

export interface RunModuleOptions {
  /** Height of the first block, the others follow it; default: each block's height as its coinbase names it. */
  readonly height?: number;
  /** `name:hex`, run after the last block. */
  readonly view?: readonly string[];
  readonly json?: boolean;
}

/** One block of the report; key for key what `--json` prints. */
export interface ModuleReport {
  readonly height: number;
  readonly flushes: number;
  /** Pairs flushed, duplicates counted. */
  readonly pairs: number;
  readonly uniqueKeys: number;
  /** Bytes of the values kept, one per key. */
  readonly valueBytes: number;
  readonly ms: number;
  readonly error: string | null;
  /** {@link pairsDigest}, or null for a block that failed. */
  readonly digest: string | null;
}

interface ViewRequest {
  readonly name: string;
  readonly input: Uint8Array;
}

/** {@link PairsDigest} of pairs in any order. */
export function pairsDigest(pairs: ReadonlyMap<string, Uint8Array>): string {
  const digest = new PairsDigest();
  // One unit per byte, so the order of the strings is that of the bytes.
  for (const text of [...pairs.keys()].sort()) digest.add(fromBinaryString(text), pairs.get(text) ?? EMPTY_BYTES);
  return digest.hex();
}

/**
 * `warpshrew run-module`: runs a Metashrew module on raw blocks, in the order given, from an empty state, then the
 * views at the last height. A block that fails leaves the state as it was and makes the exit status 1, as does a view
 * that fails.
 */
export async function runModuleCommand(
  wasmPath: string,
  blockPaths: readonly string[],
  options: RunModuleOptions,
): Promise<{ text: string; exitStatus: number }> {
  const views = (options.view ?? []).map(parseView);
  const standard = new StandardIndexer({ moduleBytes: readModuleFile(wasmPath), log: !options.json });
  const lines: string[] = [];
  let failed = false;
  try {
    let height = 0;
    for (const [index, path] of blockPaths.entries()) {
      const raw = readInputFile(path, MAX_BLOCK_BYTES);
      height = options.height === undefined ? coinbaseHeight(raw, path) : options.height + index;
      const run = await standard.runBlock(raw, height);
      failed ||= run.error !== undefined;
      lines.push(options.json ? JSON.stringify(report(height, run)) : describe(basename(path), report(height, run)));
      if (run.error?.code === 'MODULE_TIMEOUT') throw run.error;
    }
    for (const { name, input } of views) {
      const { output, error } = await runView(standard, name, input, height);
      failed ||= error !== null;
      lines.push(
        options.json
          ? JSON.stringify({ view: name, height, output, error })
          : `view ${name} at ${height}: ${error ?? output}`,
      );
    }
  } finally {
    await standard.close();
  }
  return { text: lines.join('\n'), exitStatus: failed ? 1 : 0 };
}

function report(height: number, run: StandardRun): ModuleReport {
  return {
    height,
    flushes: run.flushes,
    pairs: run.pairCount,
    uniqueKeys: run.pairs.size,
    valueBytes: run.valueBytes,
    ms: Math.round(run.ms * 10) / 10,
    error: run.error ? errorText(run.error) : null,
    digest: run.error ? null : pairsDigest(run.pairs),
  };
}

function describe(file: string, block: ModuleReport): string {
  const head = `${file} at ${block.height}`;
  if (block.error !== null) return `${head}: ${block.error}`;
  const { flushes, pairs, uniqueKeys, valueBytes, ms, digest } = block;
  const counts = `${flushes} flush(es), ${pairs} pairs, ${uniqueKeys} keys, ${valueBytes} value bytes`;
  return `${head}: ${counts}, ${ms} ms\n  digest ${digest}`;
}

function errorText(error: WarpshrewError): string {
  return `${error.code}: ${error.message}`;
}

async function runView(
  standard: StandardIndexer,
  name: string,
  input: Uint8Array,
  height: number,
): Promise<{ output: string | null; error: string | null }> {
  try {
    return { output: `0x${toHex(await standard.view(name, input, height))}`, error: null };
  } catch (error) {
    if (error instanceof ProgramError) return { output: null, error: errorText(error) };
    throw error;
  }
}

function parseView(text: string): ViewRequest {
  const colon = text.indexOf(':');
  try {
    if (colon < 1) throw new RangeError('no colon');
    return { name: text.slice(0, colon), input: fromHex(text.slice(colon + 1)) };
  } catch (cause) {
    throw new UsageError('USAGE_VIEW', `not a view: ${text}`, {
      cause,
      hint: 'write NAME:HEX, for example blockbyheight:00000000 or tipheight:',
    });
  }
}

function coinbaseHeight(raw: Uint8Array, path: string): number {
  const height = BlockOffsets.read(raw).coinbaseHeight;
  if (height !== undefined) return height;
  throw new InputError('BLOCK_NO_HEIGHT', 'the coinbase names no height', {
    facts: { path },
    hint: 'give it with --height',
  });
}
