// Linear memory of an invocation in the buffer `memory`, interleaved word by word with that of its neighbours.
// The three words after the window are zero until the run stops, and absorb what is stored after that.

fn get_word(index: u32) -> u32 {
  return memory[index * params.stride + invocation_index];
}

fn set_word(index: u32, value: u32) {
  memory[index * params.stride + invocation_index] = value;
}
