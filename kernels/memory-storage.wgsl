// Linear memory of an invocation in the buffer `memory`, interleaved word by word with its neighbours'.

fn get_word(index: u32) -> u32 {
  var value = 0u;
  if (index < WINDOW_WORDS) {
    value = memory[index * params.stride + call_index];
  }
  return value;
}

// The caller has checked that index lies inside the window.
fn set_word(index: u32, value: u32) {
  memory[index * params.stride + call_index] = value;
}
