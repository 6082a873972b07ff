// Memory outside the window is all zeros at the start.

fn read_word(index: u32) -> u32 {
  return get_word(min(index - WINDOW_FIRST, WINDOW_WORDS));
}
