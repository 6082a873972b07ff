/** The types that a contract's `__meta` may name, and how they travel: as inputs, in data, and in storage. */

/** One type: of the argument in TypeScript, and the helpers that write and read it (helpers.ts). */
export interface WireType {
  readonly typescript: string;
  /** Function from a value to inputs. */
  readonly inputs: string;
  /** Bytes in keys and values of storage; undefined: to the end. */
  readonly width: number | undefined;
  /** Function from bytes to a value. */
  readonly read: string;
  /** Function from a value to its bytes in a key. */
  readonly write: string;
}

const number = (width: number): WireType => ({
  ...{ typescript: 'bigint', inputs: 'numberInputs', width },
  ...{ read: 'readNumber', write: `numberBytes${width * 8}` },
});
const fixed = (width: number): WireType => ({
  ...{ typescript: 'Uint8Array', inputs: `bytesInputs${width}`, width, read: 'readBytes', write: 'asBytes' },
});

const TYPES: Readonly<Record<string, WireType>> = {
  ...{ u128: number(16), u64: number(8), u32: number(4), u8: number(1) },
  bool: { typescript: 'boolean', inputs: 'boolInputs', width: 1, read: 'readBool', write: 'boolBytes' },
  AlkaneId: { typescript: 'AlkaneId', inputs: 'idInputs', width: 32, read: 'readId', write: 'idBytes' },
  String: { typescript: 'string', inputs: 'textInputs', width: undefined, read: 'readText', write: 'textBytes' },
  ...{ bytes16: fixed(16), bytes32: fixed(32), bytes64: fixed(64) },
  bytes: { typescript: 'Uint8Array', inputs: 'bytesInputs', width: undefined, read: 'readBytes', write: 'asBytes' },
};

/** The type of that name; undefined if it is not known. `Vec<u8>` is bytes; other lists travel as inputs alone. */
export function wireType(name: string): WireType | undefined {
  if (name === 'Vec<u8>') return TYPES.bytes;
  return Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
}
