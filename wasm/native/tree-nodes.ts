// Hashes of pages of the state tree: four nodes at a time, over many pages at once.
import { BLOCKS, beginAll, compressAll, finishLane } from './sha256x4';
import { childrenOf, hashOf, leavesOf, nextFinished, slotOf } from './tree-pages';

/** Pages that are hashed together. */
const GROUP: u32 = 64;

/** By page and slot, halved with every round: what a range of slots holds, and where its hash lies. */
const KIND: usize = memory.data(1024, 16);
const AT: usize = memory.data(4096, 16);
const EMPTY: u8 = 0;
const LONE_LEAF: u8 = 1;
const MORE: u8 = 2;
/** Hashes of the inner nodes of the group, 15 a page. */
const INNER: usize = memory.data(30720, 16);
/** Hash of an empty range. */
const ZERO: usize = memory.data(32, 16);
/** Pages of the group. */
const PAGES: usize = memory.data(256, 4);

/** The padded message of each lane, two blocks: 00, left hash, right hash. */
const MESSAGES: usize = memory.data(512, 16);
const TARGETS: usize = memory.data(16, 4);
let waiting: u32 = 0;

function prepare(): void {
  memory.fill(MESSAGES, 0, 512);
  for (let lane: usize = 0; lane < 4; lane++) {
    const message = MESSAGES + (lane << 7);
    store<u8>(message, 0x80, 65);
    store<u64>(message, bswap(<u64>(65 * 8)), 120);
  }
  waiting = 0;
}

/** Hashes a node to `out`, when four wait or {@link hashWaiting} is called. */
@inline
function hashNode(left: usize, right: usize, out: usize): void {
  const message = MESSAGES + (<usize>waiting << 7);
  v128.store(message, v128.load(left), 1);
  v128.store(message, v128.load(left, 16), 17);
  v128.store(message, v128.load(right), 33);
  v128.store(message, v128.load(right, 16), 49);
  store<u32>(TARGETS + (<usize>waiting << 2), <u32>out);
  if (++waiting == 4) hashWaiting();
}

function hashWaiting(): void {
  if (waiting == 0) return;
  for (let lane: usize = 0; lane < 4; lane++) store<u32>(BLOCKS + (lane << 2), <u32>(MESSAGES + (lane << 7)));
  beginAll();
  compressAll();
  for (let lane: usize = 0; lane < 4; lane++) store<u32>(BLOCKS + (lane << 2), <u32>(MESSAGES + (lane << 7) + 64));
  compressAll();
  for (let lane: u32 = 0; lane < waiting; lane++) finishLane(lane, load<u32>(TARGETS + (<usize>lane << 2)));
  waiting = 0;
}

/** Hashes the pages that hang together from `first` on; the hashes of their children are there. */
export function hashPages(first: usize): void {
  prepare();
  let page = first;
  while (page != 0) {
    let pages: u32 = 0;
    for (; page != 0 && pages < GROUP; page = nextFinished(page)) {
      store<u32>(PAGES + (<usize>pages << 2), <u32>page);
      enter(page, pages++);
    }
    let inner = INNER;
    for (let width: u32 = 8; width > 0; width >>= 1) {
      for (let index: u32 = 0; index < pages; index++) inner = halve(index, width, inner);
      // The next round reads these.
      hashWaiting();
    }
    for (let index: u32 = 0; index < pages; index++) {
      const done = <usize>load<u32>(PAGES + (<usize>index << 2));
      memory.copy(hashOf(done), load<u32>(AT + (<usize>index << 6)), 32);
    }
  }
}

/** The sixteen slots of a page as the ranges that the first round begins with. */
function enter(page: usize, index: u32): void {
  const leaves = leavesOf(page);
  const children = childrenOf(page);
  const kinds = KIND + (<usize>index << 4);
  const places = AT + (<usize>index << 6);
  for (let slot: u32 = 0; slot < 16; slot++) {
    const bit = 1 << slot;
    let kind = EMPTY;
    let at = ZERO;
    if ((leaves & bit) != 0) {
      kind = LONE_LEAF;
      at = slotOf(page, slot) + 32;
    } else if ((children & bit) != 0) {
      kind = MORE;
      at = slotOf(page, slot);
    }
    store<u8>(kinds + slot, kind);
    store<u32>(places + (<usize>slot << 2), <u32>at);
  }
}

/** Joins the ranges of a page in pairs: a leaf that is alone stays as it is. Gives where the next inner node goes. */
function halve(index: u32, width: u32, inner: usize): usize {
  const kinds = KIND + (<usize>index << 4);
  const places = AT + (<usize>index << 6);
  for (let i: usize = 0; i < <usize>width; i++) {
    const left = load<u8>(kinds + (i << 1));
    const right = load<u8>(kinds + (i << 1), 1);
    const leftAt = load<u32>(places + (i << 3));
    const rightAt = load<u32>(places + (i << 3), 4);
    if (left + right <= LONE_LEAF) {
      store<u8>(kinds + i, left + right);
      store<u32>(places + (i << 2), left == EMPTY ? rightAt : leftAt);
      continue;
    }
    hashNode(leftAt, rightAt, inner);
    store<u8>(kinds + i, MORE);
    store<u32>(places + (i << 2), <u32>inner);
    inner += 32;
  }
  return inner;
}
