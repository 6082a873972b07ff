// Txids, wtxids and merkle roots of a whole block: double SHA-256 of very many short messages, four at a time. Memory:
// this file's own data, then what JavaScript lays out from BASE on (see src/bitcoin/block-hash.ts).
import { hashDigests } from './digests';
import { compressMessages, MESSAGE_HEAD, pad } from './messages';
import { BLOCKS, beginAll, compressAll, finishLane } from './sha256x4';

/** First address that JavaScript may use. */
export function base(): usize {
  return (__heap_base + 63) & ~63;
}

/**
 * A table of `count` transactions of four words: begin, begin of the witnesses, end (addresses) and 1 for segwit.
 * Writes the message of each txid (`witness` 0), or of each wtxid of segwit transactions, padded from `work` on, and
 * its digest to `out`.
 */
function hashMessages(table: usize, count: u32, out: usize, work: usize, witness: bool): void {
  let at = work;
  for (let i: u32 = 0; i < count; i++) {
    const row = table + (i << 4);
    const begin = <usize>load<u32>(row);
    const body = <usize>load<u32>(row, 4);
    const end = <usize>load<u32>(row, 8);
    const segwit = load<u32>(row, 12) != 0;
    if (witness && !segwit) continue;
    const message = at + MESSAGE_HEAD;
    let length: u32;
    if (witness || !segwit) {
      length = <u32>(end - begin);
      memory.copy(message, begin, length);
    } else {
      const inner = <u32>(body - begin - 6);
      store<u32>(message, load<u32>(begin));
      memory.copy(message + 4, begin + 6, inner);
      store<u32>(message + 4 + inner, load<u32>(end - 4));
      length = inner + 8;
    }
    const last = pad(message, length);
    store<u32>(at, <u32>(last - message) >> 6);
    store<u32>(at, <u32>(out + (i << 5)), 4);
    at = last;
  }
  compressMessages(work, at);
}

/**
 * Writes the 32-byte txids of the table's transactions to `out`. `work` has room for all messages with 88 bytes more
 * each.
 */
export function hashTransactions(table: usize, count: u32, out: usize, work: usize): void {
  hashMessages(table, count, out, work, false);
  hashDigests(out, count);
}

/** Writes the wtxids to `out`, which holds the txids: those of transactions without witness stay. */
export function hashWitnesses(table: usize, count: u32, out: usize, work: usize): void {
  hashMessages(table, count, out, work, true);
  // The digests of the others are complete: each run of segwit transactions is hashed separately.
  let i: u32 = 0;
  while (i < count) {
    if (load<u32>(table + (i << 4), 12) == 0) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < count && load<u32>(table + (end << 4), 12) != 0) end++;
    hashDigests(out + (<usize>i << 5), end - i);
    i = end;
  }
}

function same(a: usize, b: usize): bool {
  return memory.compare(a, b, 32) == 0;
}

/**
 * Hashes the parents of a level of `count` hashes to `out`, which may be `hashes` itself: there is room for one hash
 * more in both. A level of odd length repeats its last hash, also one of a single hash. Returns 1 if two neighbours are
 * equal. `work` has room for 64 bytes.
 */
export function merkleLevel(hashes: usize, count: u32, out: usize, work: usize): u32 {
  let mutated: u32 = 0;
  // The second block of a message of 64 bytes is always this one.
  memory.fill(work, 0, 64);
  store<u8>(work, 0x80);
  store<u64>(work + 56, bswap(<u64>512));
  const pairs = count >> 1;
  for (let i: u32 = 0; i < pairs; i++) {
    const pair = hashes + (<usize>i << 6);
    if (same(pair, pair + 32)) mutated = 1;
  }
  if ((count & 1) != 0) {
    memory.copy(hashes + (<usize>count << 5), hashes + (<usize>(count - 1) << 5), 32);
    count++;
  }
  const parents = count >> 1;
  for (let i: u32 = 0; i < parents; i += 4) {
    const here = min<u32>(4, parents - i);
    for (let lane: u32 = 0; lane < 4; lane++) {
      // Lanes without a pair repeat the last one.
      const pair = min<u32>(i + lane, i + here - 1);
      store<u32>(BLOCKS + (lane << 2), <u32>(hashes + (<usize>pair << 6)));
    }
    beginAll();
    compressAll();
    for (let lane: u32 = 0; lane < 4; lane++) store<u32>(BLOCKS + (lane << 2), <u32>work);
    compressAll();
    for (let lane: u32 = 0; lane < here; lane++) finishLane(lane, out + (<usize>(i + lane) << 5));
  }
  hashDigests(out, parents);
  return mutated;
}

/**
 * Computes the merkle root of `count` (at least one) hashes into the first of them; returns 1 if two neighbours of a
 * level are equal.
 */
export function merkle(hashes: usize, count: u32, work: usize): u32 {
  let mutated: u32 = 0;
  while (count > 1) {
    mutated |= merkleLevel(hashes, count, hashes, work);
    count = (count + 1) >> 1;
  }
  return mutated;
}

/**
 * A table of `count` messages of two words: begin and end (addresses). Writes the SHA-256 of each, or with `twice` the
 * SHA-256 of that, to `out`. `work` has room for all messages with 88 bytes more each.
 */
export function hashAll(table: usize, count: u32, out: usize, work: usize, twice: bool): void {
  let at = work;
  for (let i: u32 = 0; i < count; i++) {
    const begin = <usize>load<u32>(table + (i << 3));
    const length = load<u32>(table + (i << 3), 4) - <u32>begin;
    const message = at + MESSAGE_HEAD;
    memory.copy(message, begin, length);
    const last = pad(message, length);
    store<u32>(at, <u32>(last - message) >> 6);
    store<u32>(at, <u32>(out + (i << 5)), 4);
    at = last;
  }
  compressMessages(work, at);
  if (twice) hashDigests(out, count);
}
