// Static data lies outside the window too: loads from there read the image. A zero word follows it.

fn read_word(index: u32) -> u32 {
  let inside = index - WINDOW_FIRST;
  let far = program_data[min(index - IMAGE_FIRST, IMAGE_WORDS)];
  return select(far, get_word(min(inside, WINDOW_WORDS)), inside < WINDOW_WORDS);
}
