// How the run of this invocation ends: status in the low byte, detail above it. The first stop wins; what runs after it has
// no effect: host functions do nothing, fuel stands still, memory is not read again. All without branches: every one of these
// is inlined some hundred times, and the time a driver takes to compile grows with the square of the number of basic blocks.

var<private> st: u32;

fn stop(code: u32) {
  st = select(st, code, st == 0u);
}

fn stop_if(condition: bool, code: u32) {
  st = select(st, code, condition & (st == 0u));
}

// `unreachable`: the instrumentation names its own cause in w_why.
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
