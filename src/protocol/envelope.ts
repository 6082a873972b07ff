/** The witness envelope that carries a program (docs/wire.md, "Witness envelope"). */
import { OP_1, OP_1NEGATE, OP_16, OP_ENDIF, OP_IF, readInstruction } from './script.js';

const ANNEX = 0x50;
const PROTOCOL = 'BIN';

/** The part of a transaction that is searched. */
export interface Witnessed {
  readonly inputs: readonly { readonly witness: readonly Uint8Array[] }[];
}

/**
 * The body of the first envelope of the transaction, still gzipped; empty for an envelope without body pushes.
 * Undefined if no input has an envelope. Searched in the second-to-last witness item (not counting the annex) of each
 * input, in order.
 */
export function findEnvelope(tx: Witnessed): Uint8Array | undefined {
  return locateEnvelope(tx)?.body;
}

/** Like {@link findEnvelope}, with the number of the input. */
export function locateEnvelope(tx: Witnessed): { readonly input: number; readonly body: Uint8Array } | undefined {
  for (const [input, { witness }] of tx.inputs.entries()) {
    const annex = witness.length >= 2 && witness[witness.length - 1][0] === ANNEX;
    const items = annex ? witness.length - 1 : witness.length;
    const body = items < 2 ? undefined : scanScript(witness[items - 2]);
    if (body !== undefined) return { input, body };
  }
  return undefined;
}

function scanScript(script: Uint8Array): Uint8Array | undefined {
  if (!parses(script)) return undefined;
  for (let at = 0; at < script.length; ) {
    const instruction = readInstruction(script, at);
    if (instruction === undefined) return undefined;
    // After a void attempt the scan goes on one instruction after its first empty push, so an envelope may begin inside
    // it. The OP_IF of the next attempt voids the one before at the latest, so the scan is still linear.
    const body =
      instruction.isPush && instruction.start === instruction.next ? readEnvelope(script, instruction.next) : undefined;
    if (body !== undefined) return body;
    at = instruction.next;
  }
  return undefined;
}

/** A script with a push past its end has no envelopes, wherever they stand. */
function parses(script: Uint8Array): boolean {
  for (let at = 0; at < script.length; ) {
    const instruction = readInstruction(script, at);
    if (instruction === undefined) return false;
    at = instruction.next;
  }
  return true;
}

/** The body of an envelope whose empty push ends at `start`, or undefined if the attempt is void. */
function readEnvelope(script: Uint8Array, start: number): Uint8Array | undefined {
  if (script[start] !== OP_IF || start + 1 >= script.length) return undefined;
  const marker = readInstruction(script, start + 1);
  if (!marker?.isPush || text(script, marker.start, marker.next) !== PROTOCOL) return undefined;
  // Nothing is allocated before the end is found: a script may hold very many void attempts.
  for (let at = marker.next; at < script.length; ) {
    const instruction = readInstruction(script, at);
    if (instruction === undefined) return undefined;
    if (instruction.opcode === OP_ENDIF) return joinPushes(script, marker.next, at);
    if (!instruction.isPush && pushedNumber(instruction.opcode) === undefined) return undefined;
    at = instruction.next;
  }
  return undefined;
}

/**
 * The bytes pushed between `start` and `end`, without the first push: by convention that is the empty tag of the body;
 * it is dropped whatever it holds.
 */
function joinPushes(script: Uint8Array, start: number, end: number): Uint8Array {
  const body = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; ) {
    const instruction = readInstruction(script, at);
    if (instruction === undefined) break;
    if (at !== start) {
      if (instruction.isPush) body.set(script.subarray(instruction.start, instruction.next), length);
      else body[length] = pushedNumber(instruction.opcode) ?? 0;
      length += instruction.isPush ? instruction.next - instruction.start : 1;
    }
    at = instruction.next;
  }
  return body.slice(0, length);
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

/** The byte that a small-number opcode stands for: such opcodes count as pushes of one byte. */
function pushedNumber(opcode: number): number | undefined {
  if (opcode === OP_1NEGATE) return 0x81;
  return opcode >= OP_1 && opcode <= OP_16 ? opcode - OP_1 + 1 : undefined;
}
