// Linear memory of an invocation as a private array: the fastest place while it is small.

var<private> window: array<u32, WINDOW_WORDS>;

fn get_word(index: u32) -> u32 {
  return select(0u, window[min(index, WINDOW_WORDS - 1u)], index < WINDOW_WORDS);
}

// The caller has checked that index lies inside the window.
fn set_word(index: u32, value: u32) {
  window[index] = value;
}
