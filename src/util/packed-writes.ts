/** A write of {@link PackedWrites}, moved from one to the next: no object is made for any of them. */
export interface PackedEntry {
  /** Where key and value lie. */
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  /** -1 where the value is undefined. */
  readonly valueEnd: number;
}

/** An entry whose value follows its key; the same object shows one after the other. */
export class AdjacentEntry implements PackedEntry {
  bytes: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  keyEnd = 0;
  valueEnd = 0;

  get valueStart(): number {
    return this.keyEnd;
  }
}

/** What storing a map's entries takes that depends on nothing else, for all of them. */
export interface PreparedWrites {
  /** Numbers of the entries, by their place in {@link PackedWrites.addresses}, in the order of their keys' bytes. */
  readonly order: Uint32Array;
  /** What the state tree takes of each entry, {@link CHANGE_BYTES} bytes (`TreeMemory.changesOf`). */
  readonly changes: Uint8Array;
}

export const CHANGE_BYTES = 64;

/** Rows of `latest` that a map's entries replace, of those that are known. */
export interface RowsBefore<B extends ArrayBufferLike = ArrayBufferLike> {
  readonly bytes: Uint8Array<B>;
  /** Where each begins and ends in `bytes`, by the place of its entry; both 0 where it is not known. */
  readonly places: Int32Array<B>;
}

/** A map by binary string whose keys and values are also found where they lie in large buffers, without a string. */
export abstract class PackedWrites<V extends Uint8Array | undefined = Uint8Array | undefined>
  implements ReadonlyMap<string, V>
{
  abstract get size(): number;
  abstract has(key: string): boolean;
  abstract get(key: string): V | undefined;
  abstract entries(): MapIterator<[string, V]>;

  /** Addresses of all entries, in their order: what {@link read} takes. Good until the map is changed. */
  abstract addresses(): Uint32Array;

  /** The entry at `address`: good until the next call of any method. */
  abstract read(address: number): PackedEntry;

  /** Gives back the memory by which keys are looked up: the next look-up makes it again. */
  abstract forgetIndex(): void;

  /** What another thread has prepared, if it has. */
  prepared(): PreparedWrites | undefined {
    return undefined;
  }

  /** The rows that the entries replace, as far as whoever wrote the entries has read them. */
  rowsBefore(): RowsBefore | undefined {
    return undefined;
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(use: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) use(value, key, this);
  }
}
