import { EnvironmentError } from '../../errors/errors.js';

/** Longest wait for a batch if nothing else is given, in milliseconds. */
export const TIMEOUT_MS = { hardware: 30_000, software: 600_000 } as const;

/** Waits for `work`, `ms` milliseconds at most; with 0 nothing is in time, however fast it is. */
export async function withTimeout(work: Promise<unknown>, ms: number): Promise<void> {
  const hint = 'The CPU does it instead.';
  const tooLate = (): EnvironmentError =>
    new EnvironmentError('GPU_TIMEOUT', 'the GPU did not finish a batch in time', { facts: { ms }, hint });
  // Nobody waits for it once it is late.
  work.catch(() => undefined);
  if (ms === 0) throw tooLate();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
