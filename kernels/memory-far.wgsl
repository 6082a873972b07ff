// Some static data lies outside the window: loads from there read the image, which a zero word follows.

fn read_word(index: u32) -> u32 {
  let inside = index - WINDOW_FIRST;
  let far = program_data[min(index - IMAGE_FIRST, IMAGE_WORDS)];
  return select(far, get_word(min(inside, WINDOW_WORDS)), inside < WINDOW_WORDS);
}
