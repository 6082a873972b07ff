// A registry: one key per call, light unless a signature has to be checked. docs/programs.md, "names".
import { appendInputs, contextBegin, input, inputBuffer, inputU64, opcode } from '../sdk/context';
import { isDryRun, recordPut, require, revert } from '../sdk/env';
import { allocateBuffer, appendBytes, appendText, bufferLength, textBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming } from '../sdk/response';
import { signedBegin, signedBy } from '../sdk/signed';
import { get } from '../sdk/storage';

/** SHA-256 of `warpshrew/names/update`. */
const UPDATE_TAG: usize = memory.data<u8>([
  0x0c, 0x6f, 0x40, 0xfb, 0xf5, 0xe1, 0x1a, 0xae, 0x07, 0x44, 0x95, 0x8a, 0x26, 0xeb, 0xcb, 0xd0,
  0x86, 0x7b, 0x21, 0xd3, 0x90, 0x68, 0x09, 0xc5, 0x62, 0x51, 0x58, 0x7a, 0x14, 0x3f, 0x8b, 0x41,
]);
/** SHA-256 of `warpshrew/names/transfer`. */
const TRANSFER_TAG: usize = memory.data<u8>([
  0x4b, 0xff, 0xf2, 0x9e, 0xe6, 0x4e, 0x50, 0xc8, 0xc4, 0x3e, 0x95, 0x76, 0x45, 0x64, 0xcc, 0x33,
  0x3d, 0xdf, 0x62, 0x86, 0xd1, 0xb0, 0x83, 0x09, 0xba, 0x5d, 0x26, 0x73, 0x33, 0x92, 0x18, 0x21,
]);

const PREFIX_BYTES: u32 = 5;
const NAME_BYTES: u32 = 32;
const MAX_DATA_BYTES: u32 = 128;
/** The value of a name: owner's key (32), nonce (u64), then the data. */
const NONCE_AT: u32 = 32;
const HEAD_BYTES: u32 = 40;
const ENTRY: usize = memory.data(168, 8);

function isNameCharacter(code: u32): bool {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code == 0x2d;
}

/** Storage key of the name in inputs 1 and 2: `name/` and its characters. Reverts if it is none. */
function nameKey(): usize {
  const buffer = allocateBuffer(0);
  appendText('name/');
  appendInputs(1, 2);
  const text = buffer + PREFIX_BYTES;
  let length: u32 = 0;
  while (length < NAME_BYTES && isNameCharacter(load<u8>(text + length))) length++;
  require(length != 0);
  for (let i = length; i < NAME_BYTES; i++) require(load<u8>(text + i) == 0);
  // The zeros stay where they are, outside the buffer: what follows is allocated after them.
  store<u32>(buffer - 4, PREFIX_BYTES + length);
  return buffer;
}

/** Reads the data, its length in input `first` and its bytes in the inputs after it, into ENTRY; returns the length. */
function readData(first: u32): u32 {
  const length = inputU64(first);
  require(length <= <u64>MAX_DATA_BYTES);
  const bytes = inputBuffer(first + 1, (<u32>length + 15) >> 4);
  memory.copy(ENTRY + HEAD_BYTES, bytes, <usize>length);
  return <u32>length;
}

function save(name: usize, length: u32): usize {
  responseBegin();
  returnIncoming();
  put(name, ENTRY, HEAD_BYTES + length);
  return finishEmpty();
}

function register(): usize {
  const name = nameKey();
  require(bufferLength(get(name)) == 0);
  const length = readData(5);
  memory.copy(ENTRY, inputBuffer(3, 2), 32);
  return save(name, length);
}

/**
 * Loads the entry of a name into ENTRY for a change; reverts unless input 3 is its nonce, which goes on by one. Gives
 * the length of its data.
 */
function open(name: usize): u32 {
  const value = get(name);
  // Whether the name is there may be decided by this very block; that it will be written is not.
  if (isDryRun()) recordPut(name);
  const length = bufferLength(value);
  require(length >= HEAD_BYTES && length <= HEAD_BYTES + MAX_DATA_BYTES);
  memory.copy(ENTRY, value, length);
  const nonce = inputU64(3);
  require(nonce == load<u64>(ENTRY, NONCE_AT) && nonce != u64.MAX_VALUE);
  store<u64>(ENTRY, nonce + 1, NONCE_AT);
  return length - HEAD_BYTES;
}

/** Opens a message about the name: the name with its zeros, the nonce. */
function changeBegin(tag: usize): usize {
  const message = signedBegin(tag);
  appendInputs(1, 2);
  appendBytes(input(3), 8);
  return message;
}

/** Reverts unless the owner in ENTRY has signed; the signature is inputs 4 to 7. */
function authorise(message: usize): void {
  require(signedBy(message, ENTRY, 4));
}

function update(): usize {
  const name = nameKey();
  open(name);
  const length = readData(8);
  if (!isDryRun()) {
    const message = changeBegin(UPDATE_TAG);
    appendBytes(ENTRY + HEAD_BYTES, length);
    authorise(message);
  }
  return save(name, length);
}

function transfer(): usize {
  const name = nameKey();
  const length = open(name);
  const owner = inputBuffer(8, 2);
  if (!isDryRun()) {
    const message = changeBegin(TRANSFER_TAG);
    appendBytes(owner, 32);
    authorise(message);
  }
  memory.copy(ENTRY, owner, 32);
  return save(name, length);
}

function answer(data: usize): usize {
  responseBegin();
  returnIncoming();
  return finish(data, bufferLength(data));
}

export function __execute(): usize {
  contextBegin();
  const code = opcode();
  if (code == 1) return register();
  if (code == 2) return update();
  if (code == 3) return transfer();
  if (code == 4) return answer(get(nameKey()));
  if (code == 99) return answer(textBuffer('names'));
  if (code == 0) {
    responseBegin();
    returnIncoming();
    return finishEmpty();
  }
  revert();
  return 0;
}
