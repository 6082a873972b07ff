// The allocator of contracts that `warpshrew compile` builds, in the place of AssemblyScript's stub runtime: one
// memory, which the SDK's buffers fill from below and AssemblyScript's objects from above. Where they meet, the message
// reverts.
// Nothing is freed: an instance serves one message.
import { AL_MASK, BLOCK, BLOCK_MAXSIZE, BLOCK_OVERHEAD, OBJECT, OBJECT_OVERHEAD } from './common';

/** The end of the SDK's buffers. */
@global export let warpshrew_compile_builds_this: usize = 0;
/** The lowest object; 0 before the first: a computed initial value would cost each message a start function. */
let lowest: usize = 0;

/** Where AssemblyScript's objects begin: the SDK's buffers end there. */
@unsafe @global
export function warpshrew_objects_begin(): usize {
  return lowest == 0 ? <usize>memory.size() << 16 : lowest;
}

@unsafe @global
export function __alloc(size: usize): usize {
  const low = max<usize>(warpshrew_compile_builds_this, __heap_base);
  const high = warpshrew_objects_begin();
  if (size > BLOCK_MAXSIZE || size + BLOCK_OVERHEAD + AL_MASK > high - low) abort('the memory of the contract is full');
  // What the caller gets is aligned, and its header lies before it.
  const at = (high - size) & ~AL_MASK;
  lowest = at - BLOCK_OVERHEAD;
  changetype<BLOCK>(lowest).mmInfo = size;
  return at;
}

@unsafe @global
export function __realloc(ptr: usize, size: usize): usize {
  const block = changetype<BLOCK>(ptr - BLOCK_OVERHEAD);
  const before = block.mmInfo;
  if (size <= before) return ptr;
  const next = __alloc(max<usize>(size, before << 1));
  memory.copy(next, ptr, before);
  return next;
}

@unsafe @global
export function __free(ptr: usize): void {}

@unsafe @global
export function __reset(): void {}

/** Bytes of an object with its header. A size so large that this would wrap is refused as any other too large one. */
function withHeader(size: usize): usize {
  return OBJECT_OVERHEAD + min<usize>(size, BLOCK_MAXSIZE);
}

@unsafe @global
export function __new(size: usize, id: u32): usize {
  const ptr = __alloc(withHeader(size));
  const object = changetype<OBJECT>(ptr - BLOCK_OVERHEAD);
  object.gcInfo = 0;
  object.gcInfo2 = 0;
  object.rtId = id;
  object.rtSize = <u32>size;
  return ptr + OBJECT_OVERHEAD;
}

@unsafe @global
export function __renew(oldPtr: usize, size: usize): usize {
  const ptr = __realloc(oldPtr - OBJECT_OVERHEAD, withHeader(size));
  changetype<OBJECT>(ptr - BLOCK_OVERHEAD).rtSize = <u32>size;
  return ptr + OBJECT_OVERHEAD;
}

@global @unsafe
export function __link(parentPtr: usize, childPtr: usize, expectMultiple: bool): void {}

@global @unsafe
export function __pin(ptr: usize): usize {
  return ptr;
}

@global @unsafe
export function __unpin(ptr: usize): void {}

@global @unsafe
function __visit(ptr: usize, cookie: u32): void {}

@global @unsafe
export function __collect(): void {}
