/**
 * An array whose bytes are what was in memory before: for whoever writes to it before anything is read. Clearing a
 * large one takes longer than much of what is written to it.
 */
export function unsetBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer as ArrayBuffer);
}
