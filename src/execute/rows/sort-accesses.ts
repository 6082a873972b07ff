/** The order in which the kernel searches for the keys of a call. */
import { ACCESS_RECORD } from '../../gpu/translate/layout.js';

/** More accesses than this are not sorted one by one. */
const FEW_ACCESSES = 32;
const ACCESS_FIELDS = ACCESS_RECORD.offset;

/** Sorts `count` accesses from word `first` on by their hashes. */
export function sortAccesses(list: Uint32Array, first: number, count: number): void {
  const { words } = ACCESS_RECORD;
  if (count > FEW_ACCESSES) {
    const given = list.slice(first, first + count * words);
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => given[a * words + ACCESS_FIELDS.HASH] - given[b * words + ACCESS_FIELDS.HASH]);
    for (let i = 0; i < count; i++) {
      const from = order[i] * words;
      for (let word = 0; word < words; word++) list[first + i * words + word] = given[from + word];
    }
    return;
  }
  for (let i = 1; i < count; i++) {
    for (let at = first + i * words; at > first; at -= words) {
      if (list[at - words + ACCESS_FIELDS.HASH] <= list[at + ACCESS_FIELDS.HASH]) break;
      for (let word = 0; word < words; word++) {
        const other = list[at - words + word];
        list[at - words + word] = list[at + word];
        list[at + word] = other;
      }
    }
  }
}
