// Own storage: keys are built by hand into buffers, values come back as buffers.
import { loadStorage, requestStorage } from './env';
import { allocateBuffer, appendBytes, appendText, closeBuffer } from './memory';

/** Key of a fixed name. */
export function key(name: string): usize {
  const buffer = allocateBuffer(0);
  appendText(name);
  return closeBuffer(buffer);
}

/** Key `prefix ++ u128`. */
export function keyOf(prefix: string, number: usize): usize {
  const buffer = allocateBuffer(0);
  appendText(prefix);
  appendBytes(number, 16);
  return closeBuffer(buffer);
}

/** Key `prefix ++ u128 ++ u128`. */
export function keyOfTwo(prefix: string, first: usize, second: usize): usize {
  const buffer = allocateBuffer(0);
  appendText(prefix);
  appendBytes(first, 16);
  appendBytes(second, 16);
  return closeBuffer(buffer);
}

/** The value of a key as a buffer; length 0 if it is absent. */
export function get(key: usize): usize {
  const buffer = allocateBuffer(requestStorage(key));
  loadStorage(key, buffer);
  return buffer;
}
