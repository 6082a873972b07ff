/** The little of protocol buffers that traces need: fields of a message, without its schema. */

export type Field = readonly [number: number, value: bigint | Uint8Array];

/** The fields of `bytes` in their order; wire types 0 (varint) and 2 (bytes). Throws RangeError for anything else. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) throw new RangeError('a cut number in a trace');
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('an overlong number in a trace');
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Number(key >> 3n);
    const type = Number(key & 7n);
    const value = varint();
    if (type === 0) fields.push([number, value]);
    else if (type === 2 && value <= BigInt(bytes.length - at)) {
      fields.push([number, bytes.subarray(at, at + Number(value))]);
      at += Number(value);
    } else throw new RangeError('a field of another kind in a trace');
  }
  return fields;
}

/** The bytes of the last field with that number. */
export function bytesField(fields: readonly Field[], number: number): Uint8Array | undefined {
  const value = fields.findLast(([of]) => of === number)?.[1];
  return typeof value === 'bigint' ? undefined : value;
}

export function numberField(fields: readonly Field[], number: number): bigint {
  const value = fields.findLast(([of]) => of === number)?.[1];
  return typeof value === 'bigint' ? value : 0n;
}
