// Merkle-proof airdrop: heavy compute, disjoint keys. docs/programs.md, "claim".
import { contextBegin, input, opcode } from '../sdk/context';
import { isDryRun, require, revert } from '../sdk/env';
import { sha256 } from '../sdk/intrinsics';
import { bufferLength, textBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transferOwn } from '../sdk/response';
import { get, key, keyOf } from '../sdk/storage';
import * as u128 from '../sdk/u128';

const MAX_DEPTH: u32 = 32;
const ROOT_BYTES: u32 = 36;

/** The value of `root`: 32 bytes, then the depth. */
const CONFIG: usize = memory.data(36, 8);
/** Buffers for the host, each with the length word before it. Index (u64) and amount (u128) of a leaf. */
const LEAF: usize = memory.data<u32>([0, 24, 0, 0, 0, 0, 0, 0], 8) + 8;
/** Left and right child. */
const PAIR: usize = memory.data<u32>([0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 8;
const NODE: usize = memory.data<u32>([0, 32, 0, 0, 0, 0, 0, 0, 0, 0], 8) + 8;
const MARK: usize = memory.data<u8>([1]);

function initialise(): usize {
  const at = key('root');
  require(bufferLength(get(at)) == 0);
  const depth = input(3);
  require(u128.high(depth) == 0 && u128.low(depth) <= <u64>MAX_DEPTH);
  u128.copy(CONFIG, input(1));
  u128.copy(CONFIG + 16, input(2));
  store<u32>(CONFIG, <u32>u128.low(depth), 32);
  responseBegin();
  returnIncoming();
  put(at, CONFIG, ROOT_BYTES);
  return finishEmpty();
}

/** Whether the siblings among the inputs lead from the leaf to the root. */
function proves(root: usize, depth: u32, index: u64, amount: usize): bool {
  store<u64>(LEAF, index);
  u128.copy(LEAF + 8, amount);
  sha256(LEAF, NODE);
  for (let level: u32 = 0; level < depth; level++) {
    const own = PAIR + ((<u32>(index >> level) & 1) << 5);
    const other = PAIR + (PAIR + 32 - own);
    u128.copy(own, NODE);
    u128.copy(own + 16, NODE + 16);
    u128.copy(other, input(3 + 2 * level));
    u128.copy(other + 16, input(4 + 2 * level));
    sha256(PAIR, NODE);
  }
  return u128.equal(NODE, root) && u128.equal(NODE + 16, root + 16);
}

function claim(): usize {
  const root = get(key('root'));
  require(bufferLength(root) == ROOT_BYTES);
  const index = input(1);
  const amount = input(2);
  const depth = load<u32>(root, 32);
  require(u128.high(index) == 0 && u128.low(index) >> depth == 0 && !u128.isZero(amount));
  const marker = keyOf('claimed/', index);
  require(bufferLength(get(marker)) == 0);
  // The keys are known by now: a dry run may stop here.
  if (!isDryRun()) require(proves(root, depth, u128.low(index), amount));
  responseBegin();
  returnIncoming();
  transferOwn(amount);
  put(marker, MARK, 1);
  return finishEmpty();
}

function answer(data: usize): usize {
  responseBegin();
  returnIncoming();
  return finish(data, bufferLength(data));
}

export function __execute(): usize {
  contextBegin();
  const code = opcode();
  if (code == 0) return initialise();
  if (code == 1) return claim();
  if (code == 99) return answer(textBuffer('claim'));
  if (code == 100) return answer(get(key('root')));
  revert();
  return 0;
}
