// Runs before vitest's own code in each process that runs tests (`--import`, see vitest.config.ts). There, vitest gives
// up on an answer of its main process after 60 s. An answer is only read between two turns of the event loop: a test
// that keeps its process busy, on a machine that is busy itself, would fail by the clock. So vitest waits for an hour.
const HANGS_MS = 3_600_000;
/** How long vitest waits, and what its source calls the function that then makes the error. */
const GIVES_UP_MS = 60_000;
const GIVES_UP = 'onTimeoutError';

/** Number of waits that were made longer. */
globalThis.patientWaits = 0;

globalThis.setTimeout = new Proxy(globalThis.setTimeout, {
  apply(setTimeout, self, [callback, ms, ...rest]) {
    const isWait = ms === GIVES_UP_MS && String(callback).includes(GIVES_UP);
    if (isWait) globalThis.patientWaits++;
    return Reflect.apply(setTimeout, self, [callback, isWait ? HANGS_MS : ms, ...rest]);
  },
});
