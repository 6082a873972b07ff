/** Instances of the code of state trees (wasm/native/state-tree.ts). */
import { stateTreeModule } from '../../util/built-wasm.js';

type Num = { readonly value: number };

/** What {@link hashHandedOver} calls in a thread that hashes. */
interface HashingExports {
  joinHash(instance: number): void;
  hashParts(): void;
}

export interface TreeExports extends HashingExports {
  readonly bits: Num;
  readonly leaves: { readonly value: bigint };
  readonly droppedRows: Num;
  readonly touchedRows: Num;
  readonly dirtyCount: Num;
  readonly siblings: Num;
  create(bits: number, dropped: number): void;
  input(bytes: number): number;
  takeWrites(count: number): void;
  sortChanges(): void;
  changesAt(): number;
  clearChanges(): void;
  roomForChanges(count: number): number;
  addChanges(count: number): void;
  wantedRows(): number;
  rowsAt(): number;
  loadRow(bits: number, prefix: number, row: number, length: number, unhashed: number): number;
  apply(): void;
  existedAt(): number;
  addLeaves(count: number): void;
  isCrowded(): number;
  isCrowdedBy(leaves: bigint): number;
  grow(): void;
  hashAll(): void;
  beginHash(instances: number): number;
  endHash(): void;
  rootAt(): number;
  treeBytes(): number;
  storeRow(bits: number, prefix: number): number;
  outputAt(): number;
  findRow(row: number, end: number, flags: number): number;
  setWritten(row: number, end: number): void;
  settleDropped(): void;
  unwriteAll(): void;
  dropRows(row: number, end: number): void;
  proofAt(): number;
  bucketOfProof(): number;
  prove(): number;
}

/** Of WebAssembly memory: 4 GiB. */
const MOST_PAGES = 65_536;

let moduleOfThread: WebAssembly.Module | undefined;

/** The code of the trees, compiled once in a thread. */
export function treeModule(): WebAssembly.Module {
  moduleOfThread ??= new WebAssembly.Module(Uint8Array.from(stateTreeModule()));
  return moduleOfThread;
}

function over(module: WebAssembly.Module, memory: WebAssembly.Memory): WebAssembly.Exports {
  return new WebAssembly.Instance(module, { env: { memory } }).exports;
}

/** An instance over memory of its own, which is shared. */
export function treeInstance(): { readonly memory: WebAssembly.Memory; readonly wasm: TreeExports } {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  return { memory, wasm: over(treeModule(), memory) as WebAssembly.Exports & TreeExports };
}

/**
 * Hashes what nobody else takes of a tree whose memory another thread has handed over; `place`: a number that no other
 * thread has.
 */
export function hashHandedOver(module: WebAssembly.Module, memory: WebAssembly.Memory, place: number): void {
  const wasm = over(module, memory) as WebAssembly.Exports & HashingExports;
  wasm.joinHash(place);
  wasm.hashParts();
}
