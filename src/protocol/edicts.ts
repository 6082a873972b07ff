/**
 * Sheets per output of one transaction, and the edicts that move amounts between them
 * (docs/wire.md, "Sheets and edicts"). Pure: nothing here reads or writes state.
 *
 * Output numbers: 0 .. n-1 real, n none ("split" in an edict), n+1+i the shadow output of protostone i.
 * Amounts may lie on any number up to 4294967295; only what lies on ordinary real outputs at the end is kept.
 */
import { Sheet } from './sheet.js';
import type { AlkaneId, ProtostoneEdict } from './types.js';

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
    const ordinary: number[] = [];
    for (let vout = 0; vout < outputs.length; vout++) if (isOrdinaryOutput(outputs[vout])) ordinary.push(vout);
    this.ordinary = ordinary;
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
    const found: { readonly vout: number; readonly sheet: Sheet }[] = [];
    for (const vout of this.#sheets.size === 0 ? [] : this.ordinary) {
      const sheet = this.#sheets.get(vout);
      if (sheet !== undefined && !sheet.isEmpty) found.push({ vout, sheet });
    }
    return found;
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
  // What every ordinary output gets alike is put there once, at the end: nothing looks at the outputs before, and a
  // transaction may name very many splits over very many outputs.
  const everyone = new Sheet();
  for (const edict of edicts) {
    if (edict.id.block === 0n && edict.id.tx > 0n) return 'edict id 0:x with x over 0';
    if (edict.output > U32_MAX) return 'edict output over u32';
    if (edict.id.block === 0n) continue;
    const output = Number(edict.output);
    const moved =
      output === sheets.count
        ? split(working, edict, sheets, everyone)
        : move(working, edict.id, edict.amount === 0n ? undefined : edict.amount, sheets, output);
    if (!moved) return 'sum over u128 in an edict';
  }
  if (everyone.isEmpty) return undefined;
  const shared = sheets.ordinary.every((vout) => sheets.at(vout).addAll(everyone));
  return shared ? undefined : 'sum over u128 in an edict';
}

/** Moves at most `limit` (default: all) of `id` to `output`; false if the sum there passes u128. */
function move(working: Sheet, id: AlkaneId, limit: bigint | undefined, sheets: OutputSheets, output: number): boolean {
  const taken = working.take(id, limit);
  return taken === 0n || sheets.at(output).add(id, taken);
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

/**
 * An edict to output n: amount 0 in equal shares, the first ones get one more; else `amount` each, in order, until it runs out.
 * What all get alike is added to `everyone`, the rest goes to the outputs at once.
 */
function split(working: Sheet, { id, amount }: ProtostoneEdict, sheets: OutputSheets, everyone: Sheet): boolean {
  const outputs = BigInt(sheets.ordinary.length);
  if (outputs === 0n) return true;
  const total = working.get(id);
  const share = amount === 0n ? total / outputs : amount;
  if (share * outputs <= total) {
    working.take(id, share * outputs);
    if (!everyone.add(id, share)) return false;
    if (amount > 0n) return true;
  }
  // Not enough for all: what is left goes out in order, one each or `amount` each.
  for (const vout of sheets.ordinary) {
    if (working.get(id) === 0n) break;
    if (!move(working, id, amount === 0n ? 1n : amount, sheets, vout)) return false;
  }
  return true;
}
