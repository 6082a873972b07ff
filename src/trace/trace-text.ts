/** A trace as a tree for the terminal. */
import { REASON_WORDS } from '../client/run-reasons.js';
import type { Step } from '../simulate/steps.js';
import { printable } from '../util/printable.js';
import { keyText } from './key-text.js';
import type { Trace } from './trace.js';

/** Bytes of data that are shown. */
const SHOWN_DATA = 64;
const INDENT = '  ';

type Message = Trace['messages'][number];
type Call = Message['calls'][number];

/** The lines of a trace. Whatever contracts said: no control character of theirs reaches the terminal. */
export function traceText(trace: Trace): string {
  const { txid, status, error, height, index, fuel, run } = trace;
  const how = [
    trace.executor,
    trace.colour === 0 ? 'in turn' : `colour ${trace.colour}`,
    ...(trace.repaired ? ['run again at its turn'] : []),
    ...(trace.predicted ? [trace.mispredicted ? 'on a wrong prediction' : 'on predicted reads'] : []),
    ...(trace.reason === null ? [] : [`since ${REASON_WORDS[trace.reason]}`]),
  ];
  return [
    `${txid}  ${status}${error === null ? '' : `: ${error}`}`,
    `${INDENT}transaction ${index} of block ${height}, ${count(fuel, 'unit')} of fuel, ran on ${how.join(', ')}`,
    ...trace.messages.flatMap((message) => messageLines(message, run)),
    ...keyLines('reads', trace.reads, trace.readTotal),
    ...keyLines('writes', trace.writes, trace.writeTotal),
    ...waitLines(trace.waits),
    ...(run === null ? [] : changeLines(run.changes)),
  ]
    .map(printable)
    .join('\n');
}

function messageLines(message: Message, run: Trace['run']): string[] {
  const { protostone, shadowVout, status, error, target, fuelUsed, logTotal, logs } = message;
  const told = run?.messages.find((each) => each.protostone === protostone);
  const own = run?.steps.filter((step) => step.protostone === protostone) ?? [];
  const lines = [
    `${INDENT}message of protostone ${protostone} (shadow output ${shadowVout}) to ${target ?? 'nobody'}`,
    `${INDENT}${INDENT}${status}${error === null ? '' : `: ${error}`}, fuel ${fuelUsed}`,
  ];
  const say = (text: string): void => void lines.push(`${INDENT}${INDENT}${text}`);
  if (message.abort !== null) say(`abort: ${message.abort}`);
  if (message.dataBytes > 0) say(`data: ${dataText(message.data, message.dataBytes)}`);
  for (const { id, amount } of told?.transfers ?? []) say(`transfers ${amount} of ${id}`);
  for (const { frame, text } of logs) say(`log${frame === 0 ? '' : ` of call ${frame}`}: ${text.trimEnd()}`);
  if (logTotal > logs.length) say(`log: ${logTotal - logs.length} more`);
  if (own.length > 0) lines.push(...stepLines(message.calls, own));
  else lines.push(...message.calls.map((call, place) => callLine(call, place)));
  if (message.callTotal > message.calls.length) say(`… ${message.callTotal - message.calls.length} more calls`);
  if (run !== null && run.stepTotal > run.steps.length) say(`… ${run.stepTotal - run.steps.length} more steps`);
  return lines;
}

function callLine(call: Call, place: number): string {
  const { depth, kind, target, opcode, status, fuelUsed, parcel, transfers, dataBytes } = call;
  const what = opcode === null ? '' : ` opcode ${opcode}`;
  const moved = `${count(parcel, 'asset')} in, ${count(transfers, 'asset')} out, ${count(dataBytes, 'byte')} back`;
  return `${INDENT.repeat(depth + 1)}${place + 1} ${kind} ${target}${what}: ${status}, fuel ${fuelUsed}, ${moved}`;
}

/** Host calls, each call of a contract in front of those that its frame makes. */
function stepLines(calls: readonly Call[], steps: readonly Step[]): string[] {
  const lines: string[] = [];
  let shown = 0;
  const showCalls = (upTo: number): void => {
    for (; shown < Math.min(upTo, calls.length); shown++) lines.push(callLine(calls[shown], shown));
  };
  for (const step of steps) {
    showCalls(step.frame);
    lines.push(stepLine(step));
  }
  showCalls(calls.length);
  return lines;
}

function stepLine({ depth, call, given, result, fuel, fuelUsed, stop }: Step): string {
  const words = Object.entries(given).map(([name, value]) => ` ${name}=${value}`);
  const end = stop === null ? (result === null ? '' : ` -> ${result}`) : ` stops: ${stop}`;
  return `${INDENT.repeat(depth + 2)}${call}${words.join('')}${end}  (fuel ${fuel} - ${fuelUsed})`;
}

function dataText(hex: string, bytes: number): string {
  return bytes <= SHOWN_DATA ? `0x${hex}` : `0x${hex.slice(0, 2 * SHOWN_DATA)}… (${bytes} bytes)`;
}

function keyLines(name: string, keys: readonly string[], total: number): string[] {
  const lines = [`${INDENT}${name} ${count(total, 'key')}`];
  for (const key of keys) lines.push(`${INDENT}${INDENT}${keyText(key)}`);
  if (total > keys.length) lines.push(`${INDENT}${INDENT}… ${total - keys.length} more`);
  return lines;
}

function waitLines({ after, afterTotal, complete }: Trace['waits']): string[] {
  const most = complete ? '' : ' (or more: receipts leave keys out)';
  const lines = [`${INDENT}follows ${count(afterTotal, 'transaction')} of its block${most}`];
  for (const { index, txid, spends, keys, keyTotal } of after) {
    lines.push(`${INDENT}${INDENT}transaction ${index} ${txid}${spends ? ', whose output it spends' : ''}`);
    for (const { key, earlier, later } of keys) {
      lines.push(`${INDENT.repeat(3)}which ${earlier} what this ${later}: ${keyText(key)}`);
    }
    if (keyTotal > keys.length) lines.push(`${INDENT.repeat(3)}… ${keyTotal - keys.length} more keys`);
  }
  if (afterTotal > after.length) lines.push(`${INDENT}${INDENT}… ${afterTotal - after.length} more`);
  return lines;
}

function changeLines({ storage, balances, created, sequence, sheets }: NonNullable<Trace['run']>['changes']): string[] {
  const lines = [`${INDENT}changes`];
  const say = (text: string): void => void lines.push(`${INDENT}${INDENT}${text}`);
  for (const { contract, key, before, after } of storage) {
    say(`storage of ${contract} 0x${key}: ${valueText(before)} -> ${valueText(after)}`);
  }
  for (const { holder, asset, before, after } of balances)
    say(`balance of ${holder} in ${asset}: ${before} -> ${after}`);
  for (const { id, cloneOf, codeHash } of created) {
    say(`contract ${id}${cloneOf === null ? ` of code ${codeHash}` : `, a clone of ${cloneOf}`}`);
  }
  if (sequence !== null) say(`sequence: ${sequence.before} -> ${sequence.after}`);
  for (const { outpoint, before, after } of sheets)
    say(`sheet ${outpoint}: ${sheetText(before)} -> ${sheetText(after)}`);
  return lines.length > 1 ? lines : [];
}

function valueText(hex: string | null): string {
  return hex === null ? 'absent' : dataText(hex, hex.length / 2);
}

function sheetText(amounts: Readonly<Record<string, string>>): string {
  const assets = Object.entries(amounts).map(([id, amount]) => `${amount} of ${id}`);
  return assets.length === 0 ? 'nothing' : assets.join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
