// Memory of a message: buffers from below, AssemblyScript's objects from above (stub.ts). Nothing is freed.
import { revertWith } from './stop';

/** The buffer that was allocated last, and whether something was appended to it since and it is not closed. */
let last: usize = 0;
let isOpen: bool = false;

/** Forgets all buffers. `contextBegin` does it. */
export function memoryBegin(): void {
  warpshrew_compile_builds_this = (__heap_base + 7) & ~7;
  last = 0;
  isOpen = false;
}

/** The next `size` bytes. */
function take(size: u32): usize {
  if (warpshrew_compile_builds_this == 0) memoryBegin();
  const at = warpshrew_compile_builds_this;
  if (size > <u32>(warpshrew_objects_begin() - at)) revertWith('the memory of the contract is full');
  warpshrew_compile_builds_this = at + size;
  return at;
}

/** Reverts if a buffer is being appended to: what is allocated now would lie in the middle of it. */
function requireClosed(): void {
  if (isOpen) revertWith('a buffer is still open: closeBuffer comes before the next allocation');
}

/** First byte of `size` zeros, no alignment beyond what earlier sizes leave. Reverts if a buffer is open. */
export function allocate(size: u32): usize {
  requireClosed();
  last = 0;
  return take(size);
}

/**
 * A buffer of `size` zeros: the length word lies in the four bytes before it. With 0, `appendBytes`, `appendText` and
 * `closeBuffer` fill it. Reverts if another one is open.
 */
export function allocateBuffer(size: u32): usize {
  requireClosed();
  if (size > 0xfffffff0) revertWith('the memory of the contract is full');
  const at = take(size + 4);
  store<u32>(at, size);
  last = at + 4;
  return last;
}

/** Bytes of a buffer. */
@inline
export function bufferLength(buffer: usize): u32 {
  return load<u32>(buffer - 4);
}

/** Room for `length` bytes behind the buffer that was allocated last. */
export function extend(length: u32): usize {
  if (last == 0) revertWith('there is no buffer to append to: allocateBuffer(0) comes first');
  isOpen = true;
  return take(length);
}

/** Appends `length` bytes at `source` to the buffer that was allocated last. */
export function appendBytes(source: usize, length: u32): void {
  const to = extend(length);
  memory.copy(to, source, length);
}

/** Appends the characters of an ASCII literal, one byte each. */
export function appendText(text: string): void {
  const source = changetype<usize>(text);
  const length = load<u32>(source - 4) >> 1;
  const to = extend(length);
  for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(source + (i << 1)));
}

/** A buffer with the characters of an ASCII literal. */
export function textBuffer(text: string): usize {
  const buffer = allocateBuffer(0);
  appendText(text);
  return closeBuffer(buffer);
}

/** A buffer with `length` bytes at `source`. */
export function bytesBuffer(source: usize, length: u32): usize {
  const buffer = allocateBuffer(length);
  memory.copy(buffer, source, length);
  return buffer;
}

/** Sets the length word of `buffer` to all that was appended. Reverts if another buffer was allocated since. */
export function closeBuffer(buffer: usize): usize {
  if (buffer != last) revertWith('closeBuffer is given a buffer that is not the last one');
  store<u32>(buffer - 4, <u32>(warpshrew_compile_builds_this - buffer));
  isOpen = false;
  return buffer;
}
