// Linear memory of an invocation as a private array: the fastest place while it is small.
// The three words after the window are zero until the run stops, and absorb what is stored after that.

var<private> window: array<u32, WINDOW_WORDS + 3>;

fn get_word(index: u32) -> u32 {
  return window[index];
}

fn set_word(index: u32, value: u32) {
  window[index] = value;
}
