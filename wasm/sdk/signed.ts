// Messages that a key has signed: SHA-256(tag ++ tag ++ id of the program ++ fields), as BIP340 tags its hashes; `tag`
// is SHA-256 of a text. The id keeps a signature from being used with another contract.
import { inputBuffer, selfId } from './context';
import { schnorrVerify, sha256 } from './intrinsics';
import { allocateBuffer, appendBytes, closeBuffer } from './memory';

const SIGNATURE_INPUTS: u32 = 4;

/** Opens a message under the 32 bytes of `tag`; append the fields right after it. */
export function signedBegin(tag: usize): usize {
  const message = allocateBuffer(0);
  appendBytes(tag, 32);
  appendBytes(tag, 32);
  appendBytes(selfId(), 32);
  return message;
}

/** Closes the message; true if the four inputs from `signature` on are its signature by the 32 bytes of `key`. */
export function signedBy(message: usize, key: usize, signature: u32): bool {
  closeBuffer(message);
  const hash = allocateBuffer(32);
  sha256(message, hash);
  const keyBuffer = allocateBuffer(0);
  appendBytes(key, 32);
  closeBuffer(keyBuffer);
  return schnorrVerify(hash, keyBuffer, inputBuffer(signature, SIGNATURE_INPUTS));
}
