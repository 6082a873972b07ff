// How the run of this invocation ends: the status in the low byte, the detail above it. The first stop wins, and code
// that runs after it has no effect: host functions do nothing, fuel does not change, memory is not read again. There
// are no branches, because each of these functions is inlined hundreds of times, and a driver's compile time grows with
// the square of the number of basic blocks.

var<private> st: u32;

fn stop(code: u32) {
  st = select(st, code, st == 0u);
}

fn stop_if(condition: bool, code: u32) {
  st = select(st, code, condition & (st == 0u));
}

// `unreachable`: the instrumentation leaves its reason in w_why.
fn stop_unreachable() {
  stop(select(STATUS_TRAP, STATUS_OUT_OF_FUEL, w_why == WHY_FUEL));
}

fn charge(amount: u32) {
  stop_if(w_fuel < amount, STATUS_OUT_OF_FUEL);
  w_fuel = select(w_fuel, w_fuel - amount, st == 0u);
}

fn enter(slots: u32) {
  stop_if(w_stack < slots, STATUS_TRAP);
  w_stack -= slots;
}
