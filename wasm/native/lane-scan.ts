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
/** Bits of the bytes of an integer that another one follows. */
const CONTINUES: u64 = 0x8080808080808080;

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

/** Joins the lower seven bits of each byte. */
@inline
function joined(word: u64): u64 {
  word &= 0x7f7f7f7f7f7f7f7f;
  word = (word & 0x007f007f007f007f) | ((word & 0x7f007f007f007f00) >> 1);
  word = (word & 0x00003fff00003fff) | ((word & 0x3fff00003fff0000) >> 2);
  return (word & 0x000000000fffffff) | ((word & 0x0fffffff00000000) >> 4);
}

/**
 * Reads the integer at `at`, which must lie before `end`; gives where the next one begins, 0 if it does not decode.
 * Eight bytes at a time: the memory goes on behind everything that is read.
 */
function readInteger(at: usize, end: usize): usize {
  let word = load<u64>(at);
  high = 0;
  if ((word & 0x80) == 0) {
    low = word & 0x7f;
    return at + 1;
  }
  let stops = ~word & CONTINUES;
  if (stops != 0) {
    // All bits up to the first byte without a continuation.
    low = joined(word & (stops ^ (stops - 1)));
    at += <usize>(ctz(stops) >> 3) + 1;
    return at > end ? 0 : at;
  }
  low = joined(word);
  word = load<u64>(at, 8);
  stops = ~word & CONTINUES;
  const middle = joined(stops == 0 ? word : word & (stops ^ (stops - 1)));
  low |= middle << 56;
  high = middle >> 8;
  if (stops != 0) {
    at += <usize>(ctz(stops) >> 3) + 9;
    return at > end ? 0 : at;
  }
  word = load<u64>(at, 16);
  stops = ~word & 0x808080;
  if (stops == 0) return 0;
  const last = joined(word & (stops ^ (stops - 1)));
  // 16 bits are left.
  if (last >> 16 != 0) return 0;
  high |= last << 48;
  at += <usize>(ctz(stops) >> 3) + 17;
  return at > end ? 0 : at;
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
