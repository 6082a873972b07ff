// What kernels of batch tasks read and write. One invocation has one item of the batch.

struct TaskParams {
  count: u32,
  // By the kind of task.
  first: u32,
  second: u32,
  third: u32,
}

@group(0) @binding(0) var<storage, read> program_data: array<u32>;
@group(0) @binding(1) var<storage, read> task_input: array<u32>;
@group(0) @binding(2) var<storage, read_write> task_output: array<u32>;
@group(0) @binding(3) var<storage, read_write> task_flags: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> params: TaskParams;

// The word with this index; beyond the input, any of its words.
fn read_word(index: u32) -> u32 {
  return task_input[min(index, arrayLength(&task_input) - 1u)];
}

fn funnel(low: u32, high: u32, at: u32) -> u32 {
  let shift = (at & 3u) * 8u;
  return (low >> shift) | ((high << 1u) << (31u - shift));
}

// Little-endian, at a byte address that need not be aligned.
fn get32(at: u32) -> u32 {
  let index = at >> 2u;
  return funnel(read_word(index), read_word(index + 1u), at);
}
