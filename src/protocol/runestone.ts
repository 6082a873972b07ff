/** Runestones and cenotaphs (docs/wire.md, "Runestones"). */
import { type Flaw, type RuneEdict, readFields } from './rune-fields.js';
import { OP_13, OP_RETURN, readInstruction } from './script.js';
import type { AlkaneId, RunestoneArtifact } from './types.js';
import { decodeVarints } from './varint.js';

export type { AlkaneId, Flaw, RuneEdict };

/**
 * What the first runestone among `outputs` (all of the transaction's, in order) says. Never throws: what cannot be read is
 * `none` (no output begins with OP_RETURN OP_13) or a cenotaph with its flaw.
 */
export function decodeRunestone(outputs: readonly { readonly script: Uint8Array }[]): RunestoneArtifact {
  // Both opcodes are single bytes, so the first two instructions are the first two bytes.
  const opReturnVout = outputs.findIndex(({ script }) => script[0] === OP_RETURN && script[1] === OP_13);
  if (opReturnVout < 0) return { kind: 'none' };
  const cenotaph = (flaw: Flaw): RunestoneArtifact => ({ kind: 'cenotaph', flaw, opReturnVout });

  const payload = readPayload(outputs[opReturnVout].script);
  if (typeof payload === 'string') return cenotaph(payload);
  const integers = decodeVarints(payload);
  if (!integers.ok) return cenotaph('Varint');
  const fields = readFields(integers.values, outputs.length);
  if (fields.flaw !== undefined) return cenotaph(fields.flaw);
  const { edicts, mint, pointer, etching, protocol } = fields;
  return { kind: 'runestone', opReturnVout, payload, edicts, mint, pointer, etching, protocol };
}

/** All data pushes behind the first two opcodes, joined. */
function readPayload(script: Uint8Array): Uint8Array | 'Opcode' | 'InvalidScript' {
  const payload = new Uint8Array(script.length);
  let length = 0;
  for (let at = 2; at < script.length; ) {
    const instruction = readInstruction(script, at);
    if (instruction === undefined) return 'InvalidScript';
    if (!instruction.isPush) return 'Opcode';
    payload.set(script.subarray(instruction.start, instruction.next), length);
    length += instruction.next - instruction.start;
    at = instruction.next;
  }
  return payload.slice(0, length);
}
