// Copies from a passive data segment, which lies in `program_data` from word `first` on, followed by a zero word.

fn memory_init(to: u32, source: u32, length: u32, first: u32, segment_bytes: u32) {
  stop_if((source > segment_bytes) | (length > segment_bytes - min(source, segment_bytes)), STATUS_TRAP);
  let count = bulk_length(to, to, length);
  let words = touched_words(to, count);
  for (var i = 0u; i < words; i++) {
    let at = ((to >> 2u) + i) << 2u;
    // As in memory_copy. The segment never begins with word 0 of the buffer, so the address cannot wrap.
    let from_at = first * 4u + source + (at - to);
    let value = funnel(program_data[from_at >> 2u], program_data[(from_at >> 2u) + 1u], from_at);
    set_bits(window_word(at), value, range_mask(at, to, to + count));
  }
}
