// Linear memory of an invocation in the buffer `memory`, interleaved word by word with its neighbours'.
// Three words behind the window: they are zero until the run stops, and take what is stored after that.

fn get_word(index: u32) -> u32 {
  return memory[index * params.stride + invocation_index];
}

fn set_word(index: u32, value: u32) {
  memory[index * params.stride + invocation_index] = value;
}
