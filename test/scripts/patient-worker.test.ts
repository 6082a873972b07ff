import { expect, it } from 'vitest';

// `test/patient-worker.mjs` knows vitest's waits by their source. If another version of vitest words them differently,
// tests would fail by the clock again, on busy machines only.
it('vitest waits for its main process for an hour, not for a minute', () => {
  expect(Reflect.get(globalThis, 'patientWaits')).toBeGreaterThan(0);
});
