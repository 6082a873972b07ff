// A bump allocator over the memory after the static data. Nothing is freed: an instance serves one message. Memory
// never grows, so that the translated program keeps its memory in a small array; a message that needs more reverts.
import { revert } from './env';

let top: usize = 0;

/** Must run before the first allocation (the context does it): a start function would cost fuel in every message. */
export function memoryBegin(): void {
  top = (__heap_base + 7) & ~7;
}

/** First byte of `size` fresh bytes, no alignment beyond what earlier sizes leave. */
export function allocate(size: u32): usize {
  const at = top;
  if (size > ((<u32>memory.size()) << 16) - <u32>at) revert();
  top = at + size;
  return at;
}

/** A buffer for the host: the length word is written, the data is what lay there (zero in fresh memory). */
export function allocateBuffer(size: u32): usize {
  if (size > 0xfffffff0) revert();
  const at = allocate(size + 4);
  store<u32>(at, size);
  return at + 4;
}

@inline
export function bufferLength(buffer: usize): u32 {
  return load<u32>(buffer - 4);
}

/** Appends to the bytes that were allocated last. */
export function appendBytes(source: usize, length: u32): void {
  const to = allocate(length);
  memory.copy(to, source, length);
}

/** Appends the characters of an ASCII literal, one byte each. */
export function appendText(text: string): void {
  const source = changetype<usize>(text);
  const length = load<u32>(source - 4) >> 1;
  const to = allocate(length);
  for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(source + (i << 1)));
}

/** A buffer with the characters of an ASCII literal. */
export function textBuffer(text: string): usize {
  const buffer = allocateBuffer(0);
  appendText(text);
  return closeBuffer(buffer);
}

/** Sets the length word of the buffer that begins at `buffer` to all that was appended since. */
export function closeBuffer(buffer: usize): usize {
  store<u32>(buffer - 4, <u32>(top - buffer));
  return buffer;
}
