/** What generated clients are made with: each function in TypeScript, with the names that it needs of the others. */
export const HELPERS: Readonly<Record<string, string>> = {
  AlkaneId: `/** Id of a contract or asset. */
export interface AlkaneId {
  readonly block: bigint;
  readonly tx: bigint;
}`,
  numberInputs: `function numberInputs(value: bigint): bigint[] {
  if (value < 0n || value >= 1n << 128n) throw new RangeError('not a number below 2^128');
  return [value];
}`,
  boolInputs: `function boolInputs(value: boolean): bigint[] {
  return [value ? 1n : 0n];
}`,
  idInputs: `function idInputs({ block, tx }: AlkaneId): bigint[] {
  return [block, tx];
}`,
  textInputs: `/** Bytes in numbers of 16, little-endian, ended by a zero. */
function textInputs(text: string): bigint[] {
  return words(new Uint8Array([...new TextEncoder().encode(text), 0]));
}`,
  bytesInputs: `/** The length, then numbers of 16 bytes, little-endian. */
function bytesInputs(bytes: Uint8Array): bigint[] {
  return [BigInt(bytes.length), ...words(bytes)];
}`,
  ...Object.fromEntries(
    [16, 32, 64].map((width) => [
      `bytesInputs${width}`,
      `function bytesInputs${width}(bytes: Uint8Array): bigint[] {
  if (bytes.length !== ${width}) throw new RangeError('not ${width} bytes');
  return words(bytes);
}`,
    ]),
  ),
  listInputs: `/** The number of items, then each. */
function listInputs<T>(items: readonly T[], inputs: (item: T) => bigint[]): bigint[] {
  return [BigInt(items.length), ...items.flatMap(inputs)];
}`,
  words: `function words(bytes: Uint8Array): bigint[] {
  const word = (at: number): bigint => readNumber(bytes.subarray(at, at + 16));
  return Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => word(i * 16));
}`,
  readNumber: `/** Little-endian; absent bytes are 0. */
function readNumber(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}`,
  readBool: `function readBool(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte !== 0);
}`,
  readId: `function readId(bytes: Uint8Array): AlkaneId {
  return { block: readNumber(bytes.subarray(0, 16)), tx: readNumber(bytes.subarray(16, 32)) };
}`,
  readText: `function readText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}`,
  readBytes: `function readBytes(bytes: Uint8Array): Uint8Array {
  return bytes.slice();
}`,
  ...Object.fromEntries(
    [8, 32, 64, 128].map((bits) => [
      `numberBytes${bits}`,
      `function numberBytes${bits}(value: bigint): Uint8Array {
  return Uint8Array.from({ length: ${bits / 8} }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}`,
    ]),
  ),
  boolBytes: `function boolBytes(value: boolean): Uint8Array {
  return Uint8Array.of(value ? 1 : 0);
}`,
  idBytes: `function idBytes({ block, tx }: AlkaneId): Uint8Array {
  return join(numberBytes128(block), numberBytes128(tx));
}`,
  textBytes: `function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}`,
  asBytes: `function asBytes(bytes: Uint8Array): Uint8Array {
  return bytes;
}`,
  join: `function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}`,
  sized: `function sized(bytes: Uint8Array, least: number, what: string): Uint8Array {
  if (bytes.length >= least) return bytes;
  throw new RangeError(\`\${what}: \${bytes.length} bytes, at least \${least} are wanted\`);
}`,
};
