/**
 * The costs that `auto` and `balance` have learned, as bytes: a line with name, version and CRC-32 (hex), then JSON.
 * Bounded, and read as if anybody could have written it.
 */
import { concatBytes } from '../../util/bytes.js';
import { crc32 } from '../../util/crc32.js';
import {
  type CallDivider,
  type DivisionFigures,
  MOST_CLASSES,
  MOST_REMEMBERED,
  RATES,
  type RememberedProgram,
} from './balance.js';
import { PARALLEL_MODES } from './block-mode.js';
import { type BlockModes, MOST_KINDS } from './block-modes.js';
import { type CostModel, KERNEL_FIGURES, type KernelFigures, MOST_KERNEL_PROGRAMS } from './cost-model.js';
import { type KindFigures, SIZES } from './kind-costs.js';

/** Raised whenever the form changes, or what is measured: the parallel way itself. */
const VERSION = 1;
const NAME = 'warpshrew costs';
/** Bytes of a record at most. */
export const MOST_RECORD_BYTES = 256 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const KIND = /^([0-9a-f]{64}|none)\+?$/;
const HASH = /^[0-9a-f]{64}$/;
const MOST_DEVICE_LENGTH = 512;
/** No cost, count or time is above it. */
const MOST = 1e12;
const SHARES = ['stale', 'steady', 'asked'] as const;

interface Entry<F> {
  readonly name: string;
  readonly ms: number;
  readonly figures: F;
}

/** What is in a record. */
interface CostRecord {
  readonly device: string;
  readonly launch: number;
  readonly kinds: readonly Entry<KindFigures>[];
  readonly kernel: readonly Entry<KernelFigures>[];
  /** How `balance` divides calls; earlier versions of the program wrote none. */
  readonly divisions?: readonly RememberedProgram[];
}

/** What a record is made of, and restored to. */
export interface Learner {
  /** How `auto` runs blocks; not learned under other policies. */
  readonly modes?: BlockModes;
  readonly kernel: CostModel;
  /** How `balance` divides calls. */
  readonly balance?: CallDivider;
}

/** What a policy keeps of a record for the others. */
export type OfOtherPolicies = Pick<CostRecord, 'kinds' | 'divisions'>;

/** What is learned, for costs measured with `device`; `others`: in the place of what was not learned here. */
export function encodeCosts(device: string, { modes, kernel, balance }: Learner, others?: OfOtherPolicies): Uint8Array {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(Math.min(MOST, value).toPrecision(4)) : value;
  const record: CostRecord = {
    device,
    launch: kernel.launch,
    kinds: modes?.figures() ?? others?.kinds ?? [],
    kernel: kernel.figures(),
    divisions: balance?.remembered?.() ?? others?.divisions ?? [],
  };
  const text = encoder.encode(`${JSON.stringify(record, rounded)}\n`);
  return concatBytes(encoder.encode(`${NAME} ${VERSION} ${crc32(text).toString(16)}\n`), text);
}

/** Gives what a record says to who has learned nothing; returns all of it, or why it is not to be used. */
export function restoreCosts(
  bytes: Uint8Array,
  device: string,
  { modes, kernel, balance }: Learner,
): OfOtherPolicies | string {
  const record = readRecord(bytes);
  if (typeof record === 'string') return record;
  if (record.device !== device) return 'it is of another device';
  for (const { name, ms, figures } of record.kinds) modes?.restore(name, ms, figures);
  for (const program of record.divisions ?? []) balance?.restore?.(program);
  restoreKernel(record, kernel);
  return record;
}

/** What a record says of the kernel alone, measured with whatever it was; gives that, or why it is not to be used. */
export function restoreKernelCosts(
  bytes: Uint8Array,
  kernel: CostModel,
): { readonly device: string } | { readonly why: string } {
  const record = readRecord(bytes);
  if (typeof record === 'string') return { why: record };
  restoreKernel(record, kernel);
  return { device: record.device };
}

function restoreKernel(record: CostRecord, kernel: CostModel): void {
  for (const { name, ms, figures } of record.kernel) kernel.restore(name, ms, figures);
  kernel.restoreLaunch(record.launch);
}

/** What is in a record, or why it cannot be used. */
function readRecord(bytes: Uint8Array): CostRecord | string {
  if (bytes.length > MOST_RECORD_BYTES) return 'it is too large';
  const end = bytes.indexOf(0x0a);
  const head = decoder.decode(bytes.subarray(0, Math.max(0, end)));
  const [, version, sum] = /^warpshrew costs (\d{1,9}) ([0-9a-f]{1,8})$/.exec(head) ?? [];
  if (version === undefined) return 'it is damaged';
  if (Number(version) !== VERSION) return 'it is of another version';
  const text = bytes.slice(end + 1);
  if (crc32(text) !== Number.parseInt(sum, 16)) return 'it is damaged';
  const record = parse(decoder.decode(text));
  return record ?? 'it is damaged';
}

function parse(text: string): CostRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is CostRecord {
  if (!isObject(value)) return false;
  const { device, launch, kinds, kernel, divisions = [] } = value;
  return (
    typeof device === 'string' &&
    device.length <= MOST_DEVICE_LENGTH &&
    isCost(launch) &&
    isList(kinds, MOST_KINDS, KIND, isKindFigures) &&
    isList(kernel, MOST_KERNEL_PROGRAMS, HASH, isKernelFigures) &&
    isList(divisions, MOST_REMEMBERED, HASH, isDivisions)
  );
}

function isList(list: unknown, most: number, names: RegExp, isFigures: (value: unknown) => boolean): boolean {
  if (!Array.isArray(list) || list.length > most) return false;
  return list.every(
    (entry: unknown) =>
      isObject(entry) &&
      typeof entry.name === 'string' &&
      names.test(entry.name) &&
      isCost(entry.ms) &&
      isFigures(entry.figures),
  );
}

function isKindFigures(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { sequential, width, rows } = value;
  return (
    [sequential, width, rows].every(isCost) &&
    SHARES.every((share) => isCost(value[share]) && Number(value[share]) <= 1) &&
    PARALLEL_MODES.every((mode) => isSizes(value[mode]))
  );
}

function isSizes(list: unknown): boolean {
  return Array.isArray(list) && list.length === SIZES && list.every((us: unknown) => us === null || isCost(us));
}

function isKernelFigures(value: unknown): boolean {
  return isObject(value) && KERNEL_FIGURES.every((figure) => value[figure] === null || isCost(value[figure]));
}

function isDivisions(list: unknown): boolean {
  return Array.isArray(list) && list.length <= MOST_CLASSES && list.every((one) => one === null || isDivision(one));
}

function isDivision(value: unknown): value is DivisionFigures {
  if (!isObject(value)) return false;
  const { share } = value;
  return isCost(share) && share <= 1 && RATES.every((rate) => value[rate] === null || isCost(value[rate]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCost(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MOST;
}
