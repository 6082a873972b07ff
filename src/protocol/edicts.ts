/**
 * Sheets per output of one transaction, and the edicts that move amounts between them
 * (docs/wire.md, "Sheets and edicts"). Pure: nothing here reads or writes state.
 *
 * Output numbers: 0 .. n-1 real, n none ("split" in an edict), n+1+i the shadow output of protostone i.
 * Amounts may lie on any number up to 4294967295; only what lies on ordinary real outputs at the end is kept.
 */
import { Sheet } from './sheet.js';
import type { ProtostoneEdict } from './types.js';

/** Why a whole transaction is undone; stable texts, shown in receipts. */
export type UndoReason =
  | 'edict id 0:x with x over 0'
  | 'edict output over u32'
  | 'sum over u128 in an edict'
  | 'sum over u128 at a pointer';

const U32_MAX = 0xffffffffn;
const OP_RETURN = 0x6a;

/** An output that takes part in splits and keeps a sheet: its first script byte is not OP_RETURN (an empty script is ordinary). */
export function isOrdinaryOutput(output: { readonly script: Uint8Array }): boolean {
  return output.script[0] !== OP_RETURN;
}

/** What lies on each output number of one transaction while its protostones are processed. */
export class OutputSheets {
  /** n: how many real outputs there are. */
  readonly count: number;
  /** Numbers of the ordinary outputs, ascending. */
  readonly ordinary: readonly number[];
  readonly #sheets = new Map<number, Sheet>();

  constructor(outputs: readonly { readonly script: Uint8Array }[]) {
    this.count = outputs.length;
    this.ordinary = outputs.flatMap((output, vout) => (isOrdinaryOutput(output) ? [vout] : []));
  }

  /** The sheet on `output`, made if there is none. Changes to it are changes of the output. */
  at(output: number): Sheet {
    let sheet = this.#sheets.get(output);
    if (sheet === undefined) {
      sheet = new Sheet();
      this.#sheets.set(output, sheet);
    }
    return sheet;
  }

  /** Takes everything off `output`. */
  take(output: number): Sheet {
    const sheet = this.#sheets.get(output) ?? new Sheet();
    this.#sheets.delete(output);
    return sheet;
  }

  /** Where the rest of a protostone without pointer goes: the first ordinary output, 0 if there is none. */
  get defaultPointer(): number {
    return this.ordinary[0] ?? 0;
  }

  /** What is kept: the non-empty sheets of ordinary real outputs, ascending. All else is lost. */
  kept(): { readonly vout: number; readonly sheet: Sheet }[] {
    return this.ordinary.flatMap((vout) => {
      const sheet = this.#sheets.get(vout);
      return sheet === undefined || sheet.isEmpty ? [] : [{ vout, sheet }];
    });
  }
}

/**
 * Moves amounts from `working` (which must not lie in `sheets`) to the outputs that the edicts name, in order.
 * Returns why the whole transaction is undone, or undefined; after an error both arguments are spoilt.
 */
export function applyEdicts(
  working: Sheet,
  edicts: readonly ProtostoneEdict[],
  sheets: OutputSheets,
): UndoReason | undefined {
  for (const edict of edicts) {
    if (edict.id.block === 0n && edict.id.tx > 0n) return 'edict id 0:x with x over 0';
    if (edict.output > U32_MAX) return 'edict output over u32';
    if (edict.id.block === 0n) continue;
    const output = Number(edict.output);
    const moved =
      output === sheets.count
        ? split(working, edict, sheets)
        : sheets.at(output).add(edict.id, working.take(edict.id, edict.amount === 0n ? undefined : edict.amount));
    if (!moved) return 'sum over u128 in an edict';
  }
  return undefined;
}

/** Moves the rest of `working` to `pointer`, or without one to the default pointer. */
export function applyPointer(
  working: Sheet,
  pointer: number | undefined,
  sheets: OutputSheets,
): UndoReason | undefined {
  const moved = working.isEmpty || sheets.at(pointer ?? sheets.defaultPointer).addAll(working);
  return moved ? undefined : 'sum over u128 at a pointer';
}

/** An edict to output n: amount 0 in equal shares, the first ones get one more; else `amount` each, in order, until it runs out. */
function split(working: Sheet, edict: ProtostoneEdict, sheets: OutputSheets): boolean {
  const total = working.get(edict.id);
  if (total === 0n || sheets.ordinary.length === 0) return true;
  const outputs = BigInt(sheets.ordinary.length);
  const share = total / outputs;
  const extra = total % outputs;
  for (const [position, vout] of sheets.ordinary.entries()) {
    const wanted = edict.amount === 0n ? share + (BigInt(position) < extra ? 1n : 0n) : edict.amount;
    if (wanted === 0n) break;
    const taken = working.take(edict.id, wanted);
    if (taken === 0n) break;
    if (!sheets.at(vout).add(edict.id, taken)) return false;
  }
  return true;
}
