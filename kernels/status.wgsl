// How the run of this invocation ends. The first stop wins; what runs after it has no effect.

var<private> st: u32;
var<private> st_detail: u32;
// Fuel at the moment of the stop: code behind it goes on counting.
var<private> st_fuel: u32;

fn stop(status: u32, detail: u32) {
  if (st == 0u) {
    st = status;
    st_detail = detail;
    st_fuel = w_fuel;
  }
}

// `unreachable`: the instrumentation names its own cause in w_why.
fn stop_unreachable() {
  stop(select(STATUS_TRAP, STATUS_OUT_OF_FUEL, w_why == WHY_FUEL), 0u);
}

fn charge(amount: u32) {
  if (st == 0u) {
    if (amount > w_fuel) {
      stop(STATUS_OUT_OF_FUEL, 0u);
    } else {
      w_fuel -= amount;
    }
  }
}
