/**
 * Sheets per output of one transaction, and the edicts that move amounts between them
 * (docs/wire.md, "Sheets and edicts"). Pure: nothing here reads or writes state.
 *
 * Output numbers: 0 .. n-1 real, n none ("split" in an edict), n+1+i the shadow output of protostone i.
 * Amounts may lie on any number up to 4294967295; only what lies on ordinary real outputs at the end is kept.
 */
import { InternalError } from '../errors/errors.js';
import { Sheet } from './sheet.js';
import { PendingSplits } from './split.js';
import type { AlkaneId, ProtostoneEdict } from './types.js';

/** Why a whole transaction is undone; stable texts, shown in receipts. */
export type UndoReason =
  | 'edict id 0:x with x over 0'
  | 'edict output over u32'
  | 'sum over u128 in an edict'
  | 'sum over u128 at a pointer'
  | 'more than 10,000 sheet entries';

const U32_MAX = 0xffffffffn;
const OP_RETURN = 0x6a;

/**
 * An output that takes part in splits and keeps a sheet: its first script byte is not OP_RETURN (an empty script is
 * ordinary).
 */
export function isOrdinaryOutput(output: { readonly script: Uint8Array }): boolean {
  return output.script[0] !== OP_RETURN;
}

/** Sheet entries (an output's amount of an asset) that one transaction may write: lane rules 2. */
export const SHEET_ENTRY_LIMIT = 10_000;

/**
 * How many amounts the remaining messages may take off ordinary outputs: by output, the number of edicts of the
 * messages that name it as their pointer.
 */
export type LaterEdicts = ReadonlyMap<number, number>;
const NONE_LATER: LaterEdicts = new Map();

/** What lies on each output number of one transaction while its protostones are processed. */
export class OutputSheets {
  /** n: how many real outputs there are. */
  readonly count: number;
  /** Numbers of the ordinary outputs, ascending. */
  readonly ordinary: readonly number[];
  readonly #sheets = new Map<number, Sheet>();
  readonly #splits = new PendingSplits();

  constructor(outputs: readonly { readonly script: Uint8Array }[]) {
    this.count = outputs.length;
    const ordinary: number[] = [];
    for (let vout = 0; vout < outputs.length; vout++) if (isOrdinaryOutput(outputs[vout])) ordinary.push(vout);
    this.ordinary = ordinary;
  }

  /** Adds `amount` of `id` to `output`; false, and nothing changed, if the sum there passes u128. */
  add(output: number, id: AlkaneId, amount: bigint): boolean {
    return this.#at(output).add(id, amount);
  }

  /** Moves all of `sheet`, which is empty afterwards, to `output`; false, and nothing changed, if a sum passes u128. */
  put(output: number, sheet: Sheet): boolean {
    return sheet.isEmpty || this.#at(output).absorb(sheet);
  }

  /** Gives `amount` of `id` to each of the first `places` ordinary outputs; {@link settle} checks the sums. */
  share(id: AlkaneId, places: number, amount: bigint): void {
    this.#splits.add(id, places, amount);
  }

  /**
   * Applies pending shares to their outputs. Must be called before an ordinary output is taken, before a sum on one
   * must be exact, and at the end. Returns why the transaction is undone: a sum exceeds u128, or more entries than
   * allowed would remain whatever comes later; the latter is known before anything is applied.
   *
   * Amounts leave an ordinary output only through a message that names it as its pointer, at most one per edict of that
   * message; the rest goes back to the output.
   */
  settle(later: LaterEdicts = NONE_LATER): UndoReason | undefined {
    if (this.#splits.isEmpty) return undefined;
    let removable = 0;
    for (const edicts of later.values()) removable += Math.min(edicts, this.#splits.assets);
    if (this.#splits.entries - removable > SHEET_ENTRY_LIMIT) return 'more than 10,000 sheet entries';
    return this.#splits.handOut((place) => this.#at(this.ordinary[place])) ? undefined : 'sum over u128 in an edict';
  }

  /** Takes everything off `output`. */
  take(output: number): Sheet {
    this.#mustBeSettled(output);
    const sheet = this.#sheets.get(output) ?? new Sheet();
    this.#sheets.delete(output);
    return sheet;
  }

  /** What lies on `output`; the caller must not change it. */
  peek(output: number): Sheet {
    this.#mustBeSettled(output);
    return this.#sheets.get(output) ?? new Sheet();
  }

  /** Where the rest of a protostone without pointer goes: the first ordinary output, 0 if there is none. */
  get defaultPointer(): number {
    return this.ordinary[0] ?? 0;
  }

  /** What is kept: the non-empty sheets of ordinary real outputs, ascending. All else is lost. */
  kept(): { readonly vout: number; readonly sheet: Sheet }[] {
    this.#mustBeSettled(0);
    const found: { readonly vout: number; readonly sheet: Sheet }[] = [];
    for (const vout of this.#sheets.size === 0 ? [] : this.ordinary) {
      const sheet = this.#sheets.get(vout);
      if (sheet !== undefined && !sheet.isEmpty) found.push({ vout, sheet });
    }
    return found;
  }

  /** The sheet on `output`, created if there is none, without shares that are not settled yet. */
  #at(output: number): Sheet {
    let sheet = this.#sheets.get(output);
    if (sheet === undefined) {
      sheet = new Sheet();
      this.#sheets.set(output, sheet);
    }
    return sheet;
  }

  #mustBeSettled(output: number): void {
    if (output < this.count && !this.#splits.isEmpty) throw new InternalError('an output was read before its shares');
  }
}

/**
 * Moves amounts from `working` (which must not lie in `sheets`) to the outputs that the edicts name, in order. Shares
 * of splits wait for {@link OutputSheets.settle}, which detects their sums over u128. Returns why the whole transaction
 * is undone, or undefined; after an error neither argument may be used.
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
        : move(working, edict.id, edict.amount === 0n ? undefined : edict.amount, sheets, output);
    if (!moved) return 'sum over u128 in an edict';
  }
  return undefined;
}

/** Moves at most `limit` (default: all) of `id` to `output`; false if the sum there passes u128. */
function move(working: Sheet, id: AlkaneId, limit: bigint | undefined, sheets: OutputSheets, output: number): boolean {
  const taken = working.take(id, limit);
  return taken === 0n || sheets.add(output, id, taken);
}

/** Moves the rest of `working`, which is empty afterwards, to `pointer`, or without one to the default pointer. */
export function applyPointer(
  working: Sheet,
  pointer: number | undefined,
  sheets: OutputSheets,
): UndoReason | undefined {
  return sheets.put(pointer ?? sheets.defaultPointer, working) ? undefined : 'sum over u128 at a pointer';
}

/**
 * An edict to output n: amount 0 splits into equal shares, of which the first get one more; otherwise `amount` goes to
 * each output in order until nothing is left. Takes the same few steps however many outputs there are.
 */
function split(working: Sheet, { id, amount }: ProtostoneEdict, sheets: OutputSheets): boolean {
  const places = sheets.ordinary.length;
  if (places === 0) return true;
  const outputs = BigInt(places);
  const total = working.get(id);
  if (amount === 0n) {
    working.take(id);
    sheets.share(id, places, total / outputs);
    sheets.share(id, Number(total % outputs), 1n);
    return true;
  }
  if (amount * outputs <= total) {
    working.take(id, amount * outputs);
    sheets.share(id, places, amount);
    return true;
  }
  // Not enough for all: the first ones get `amount`, the next one the rest.
  working.take(id);
  const full = Number(total / amount);
  sheets.share(id, full, amount);
  return sheets.add(sheets.ordinary[full], id, total % amount);
}
