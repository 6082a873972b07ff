/** Reads what `bench threshold --json` has written, on whatever machine. */
import type { Crossing, ThresholdPoint, ThresholdReport } from './report.js';
import { WAYS } from './report.js';

const MOST_POINTS = 10_000;
const MOST_SAMPLES = 10_000;

/** The report in `text`; undefined where it is none, or a damaged one. */
export function readReport(text: string): ThresholdReport | undefined {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(read) || read.format !== 'warpshrew-threshold-1') return undefined;
  const { run, at, version, machine, points, crossings, differences } = read;
  if (!isText(run) || !isText(at) || !isText(version) || !isCount(differences) || !isMachine(machine)) return undefined;
  if (!isList(points, isPoint) || !isList(crossings, isCrossing)) return undefined;
  return { format: read.format, run, at, version, machine, points, crossings, differences };
}

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= 512;
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1e9;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isWay = (value: unknown): boolean => WAYS.some((way) => way === value);

function isList<T>(value: unknown, isOne: (one: unknown) => one is T): value is T[] {
  return Array.isArray(value) && value.length <= MOST_POINTS && value.every(isOne);
}

function isTimes(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MOST_SAMPLES && value.every(isTime);
}

function isMachine(value: unknown): value is ThresholdReport['machine'] {
  if (!isRecord(value) || !isText(value.processor) || !isText(value.node) || !isCount(value.threads)) return false;
  return value.adapter === undefined || isText(value.adapter);
}

function isPoint(value: unknown): value is ThresholdPoint {
  if (!isRecord(value) || !isText(value.program) || !isWay(value.way) || !isCount(value.count)) return false;
  const { median, p90, least, most, samples, warmUp } = value;
  return value.count > 0 && [median, p90, least, most].every(isTime) && isTimes(samples) && isTimes(warmUp);
}

function isCrossing(value: unknown): value is Crossing {
  if (!isRecord(value) || !isText(value.program) || !isWay(value.way) || value.way === 'kernel') return false;
  return value.count === undefined || isCount(value.count);
}
