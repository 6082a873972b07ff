// Decodes the runestones of a block's transactions straight into rows (see src/lane/columns/scan-columns.ts). Only the
// common kind is decoded: one protostone, a message to a contract that exists, nothing else. Whatever is different in
// any way is left to the decoders that know all of it, so a doubt costs time and never a wrong row.

/** Longer scripts, messages of more chunks, and more inputs are left alone. */
const MOST_SCRIPT: usize = 16_384;
const MOST_MESSAGE: usize = 65_536;
const MOST_INPUTS: u32 = 2_048;
/** Bytes of a chunk that count. */
const CHUNK: usize = 15;
/** Every chunk of the protocol field takes three bytes of the script: its tag and a value. */
const PAYLOAD: usize = memory.data(16_384);
const STREAM: usize = memory.data(98_304);
const MESSAGE: usize = memory.data(65_568);

const TAG_POINTER: u64 = 22;
const TAG_PROTOCOL: u64 = 16_383;
const TAG_LANE: u64 = 1;
const KEY_MESSAGE: u64 = 81;
const KEY_POINTER: u64 = 91;
const KEY_REFUND: u64 = 93;
const LANE: u64 = 8;

/** Bytes of a row of the table that is read, and of one that is written. */
const IN_ROW: usize = 12;
const OUT_ROW: usize = 20;
/** Context bytes in front of the inputs: two ids, output number, number of assets. */
const HEAD: usize = 96;
const NUMBER: usize = 16;

/** The integer that was read last. */
let low: u64 = 0;
let high: u64 = 0;

/** First address that JavaScript may use. */
export function base(): usize {
  return (__heap_base + 63) & ~63;
}

/** Bytes of the longest context. */
export function mostContext(): usize {
  return HEAD + NUMBER * MOST_INPUTS;
}

/** Reads the integer at `at`, which must lie before `end`; gives where the next one begins, 0 if it does not decode. */
function readInteger(at: usize, end: usize): usize {
  let byte: u64 = load<u8>(at++);
  low = byte & 0x7f;
  high = 0;
  for (let bits: u64 = 7; byte >= 0x80; bits += 7) {
    if (at >= end || bits > 126) return 0;
    byte = load<u8>(at++);
    const group = byte & 0x7f;
    if (bits < 64) low |= group << bits;
    if (bits == 63) high = group >> 1;
    else if (bits > 63) high |= group << (bits - 64);
    // Two bits are left for the last group.
    if (bits == 126 && group > 3) return 0;
  }
  return at;
}

/** Joins the pushes behind the two opcodes of a runestone at {@link PAYLOAD}; gives their end, 0 if that is not all. */
function joinPushes(script: usize, end: usize): usize {
  let out = PAYLOAD;
  let at = script + 2;
  while (at < end) {
    const opcode: usize = load<u8>(at++);
    let length = opcode;
    if (opcode > 0x4d) return 0;
    if (opcode >= 0x4c) {
      const size: usize = opcode - 0x4b;
      if (at + size > end) return 0;
      length = size == 1 ? <usize>load<u8>(at) : <usize>load<u16>(at);
      at += size;
    }
    if (at + length > end) return 0;
    memory.copy(out, at, length);
    out += length;
    at += length;
  }
  return out;
}

/** Unpacks the protocol field at {@link STREAM}; gives its end, 0 if the runestone has more that matters. */
function unpackProtocol(end: usize, outputs: u64): usize {
  let out = STREAM;
  let hasPointer = false;
  let at = PAYLOAD;
  while (at < end) {
    at = readInteger(at, end);
    if (at == 0 || at == end || high != 0) return 0;
    const tag = low;
    at = readInteger(at, end);
    if (at == 0) return 0;
    if (tag == TAG_PROTOCOL) {
      store<u64>(out, low);
      store<u64>(out, high, 8);
      out += CHUNK;
    } else if (tag == TAG_POINTER && !hasPointer && high == 0 && low < outputs) hasPointer = true;
    else return 0;
  }
  return out;
}

/** What {@link unpackMessage} found beside the message. */
let pointer: u32 = 0;
let refund: u32 = 0;

/** Unpacks the message of the only protostone at {@link MESSAGE}; gives its end, 0 if there is anything else. */
function unpackMessage(end: usize): usize {
  let at = STREAM;
  if (at == end) return 0;
  at = readInteger(at, end);
  if (at == 0 || at == end || high != 0 || low != TAG_LANE) return 0;
  at = readInteger(at, end);
  if (at == 0 || high != 0 || low > <u64>MOST_MESSAGE || (low & 1) != 0) return 0;
  let out = MESSAGE;
  let seen: u32 = 0;
  for (let pairs = <u32>low >> 1; pairs > 0; pairs--) {
    if (at == end) return 0;
    at = readInteger(at, end);
    if (at == 0 || at == end || high != 0) return 0;
    const key = low;
    at = readInteger(at, end);
    if (at == 0) return 0;
    if (key == KEY_MESSAGE) {
      if (out + NUMBER > MESSAGE + MOST_MESSAGE) return 0;
      store<u64>(out, low);
      store<u64>(out, high, 8);
      out += CHUNK;
    } else if (key == KEY_POINTER && (seen & 1) == 0) {
      seen |= 1;
      pointer = <u32>low;
    } else if (key == KEY_REFUND && (seen & 2) == 0) {
      seen |= 2;
      refund = <u32>low;
    } else return 0;
  }
  if (seen != 3 || out == MESSAGE) return 0;
  // Padding begins with a zero; one integer that does not decode makes all of it none.
  for (let first = true; at < end; first = false) {
    at = readInteger(at, end);
    if (at == 0 || (first && (low | high) != 0)) return 0;
  }
  return out;
}

/** Writes the context of the call at {@link MESSAGE} to `out`; gives its end, 0 if it calls no contract. */
function writeContext(end: usize, outputs: u32, out: usize): usize {
  let at = MESSAGE;
  for (let part = 0; part < 2; part++) {
    if (at == end) return 0;
    at = readInteger(at, end);
    if (at == 0 || high != 0 || low != LANE) return 0;
  }
  if (at == end) return 0;
  at = readInteger(at, end);
  // Contracts are called as 2:n and 4:n; what creates is left alone.
  if (at == 0 || at == end || high != 0 || (low != 2 && low != 4)) return 0;
  memory.fill(out, 0, HEAD);
  store<u64>(out, low);
  at = readInteger(at, end);
  if (at == 0) return 0;
  store<u64>(out, low, NUMBER);
  store<u64>(out, high, NUMBER + 8);
  store<u32>(out, outputs + 1, 4 * NUMBER);
  const last = out + HEAD + NUMBER * MOST_INPUTS;
  out += HEAD;
  while (at < end) {
    if (out == last) return 0;
    at = readInteger(at, end);
    if (at == 0) return 0;
    store<u64>(out, low);
    store<u64>(out, high, 8);
    out += NUMBER;
  }
  return out;
}

/** Gives the end of the context written at `context`, 0 if the transaction is not of the common kind. */
function decode(script: usize, end: usize, outputs: u32, context: usize): usize {
  if (end - script > MOST_SCRIPT) return 0;
  const payload = joinPushes(script, end);
  if (payload == 0) return 0;
  const stream = unpackProtocol(payload, outputs);
  if (stream == 0) return 0;
  const message = unpackMessage(stream);
  return message == 0 ? 0 : writeContext(message, outputs, context);
}

/**
 * Decodes rows of `table` from `row` to `count`: three words each, where the runestone's script begins and ends
 * (addresses) and the number of the transaction's outputs. Writes a row of five words to `rows` for each: pointer,
 * refund, begin of the context and its end (0 where the transaction is not of the common kind), outputs. Contexts lie
 * one after the other from `contexts` on; stops before one might pass `limit`. Gives the first row that is not decoded.
 */
export function decodeRows(table: usize, row: u32, count: u32, rows: usize, contexts: usize, limit: usize): u32 {
  let context = contexts;
  for (; row < count && context + mostContext() <= limit; row++) {
    const from = table + IN_ROW * row;
    const to = rows + OUT_ROW * row;
    const outputs = load<u32>(from, 8);
    const end = decode(load<u32>(from), load<u32>(from, 4), outputs, context);
    store<u32>(to, pointer);
    store<u32>(to, refund, 4);
    store<u32>(to, <u32>context, 8);
    store<u32>(to, <u32>end, 12);
    store<u32>(to, outputs, 16);
    if (end != 0) context = end;
  }
  return row;
}
