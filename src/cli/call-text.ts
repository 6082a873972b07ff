import type { SimulationJson } from '../rpc/simulation-json.js';
import { printable } from '../util/printable.js';

/** Bytes of data, keys and values that are shown. */
const SHOWN = 64;
const INDENT = '  ';

/** What a simulated message would do, for people. */
export function callText(simulation: SimulationJson): string {
  const { height, status, error, fuel, fuelLimit, undone, storage, balances, created, sequence, sheets } = simulation;
  const lines = [
    `${status}${error === null ? '' : `: ${error}`} (on the state after block ${height})`,
    `${INDENT}fuel      ${fuel} of ${fuelLimit}`,
  ];
  const tell = (name: string, text: string): void => {
    lines.push(`${INDENT}${name.padEnd(9)} ${text}`);
  };
  if (undone !== null) tell('undone', undone);
  for (const message of simulation.messages) {
    if (message.target !== null) tell('contract', message.target);
    if (message.dataBytes > 0) tell('data', bytesText(message.data, message.dataBytes));
    if (message.abort !== null) tell('abort', message.abort);
    for (const { text } of message.logs) tell('log', text.trimEnd());
    for (const { id, amount } of message.transfers) tell('transfer', `${amount} of ${id}`);
    for (const { depth, kind, target, opcode, fuelUsed, status: ended } of message.calls) {
      const what = opcode === null ? '' : ` opcode ${opcode}`;
      tell('call', `${INDENT.repeat(depth - 1)}${kind} ${target}${what}: ${ended}, fuel ${fuelUsed}`);
    }
    if (message.callTotal > message.calls.length) tell('call', `… ${message.callTotal} in all`);
  }
  for (const { contract, key, before, after } of storage) {
    tell('storage', `${contract} ${bytesText(key)}: ${valueText(before)} -> ${valueText(after)}`);
  }
  for (const { holder, asset, before, after } of balances)
    tell('balance', `${holder} of ${asset}: ${before} -> ${after}`);
  for (const { id, codeHash, cloneOf } of created) {
    tell('created', `${id}, ${cloneOf === null ? `code ${codeHash}` : `a clone of ${cloneOf}`}`);
  }
  if (sequence !== null) tell('sequence', `${sequence.before} -> ${sequence.after}`);
  for (const { outpoint, before, after } of sheets)
    tell('sheet', `${outpoint}: ${sheetText(before)} -> ${sheetText(after)}`);
  return lines.map(printable).join('\n');
}

function valueText(hex: string | null): string {
  return hex === null ? 'absent' : bytesText(hex);
}

/** `hex` of so many bytes: cut, and as text behind it if it is printable ASCII. */
function bytesText(hex: string, bytes = hex.length / 2): string {
  const text = Buffer.from(hex, 'hex').toString('latin1');
  const shown = bytes > SHOWN ? `0x${hex.slice(0, 2 * SHOWN)}… (${bytes} bytes)` : `0x${hex}`;
  return /^[ -~]+$/.test(text) ? `${shown} "${text.slice(0, SHOWN)}"` : shown;
}

function sheetText(amounts: Readonly<Record<string, string>>): string {
  const entries = Object.entries(amounts).map(([id, amount]) => `${amount} of ${id}`);
  return entries.length === 0 ? 'nothing' : entries.join(', ');
}
