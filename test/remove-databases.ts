import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the processes that vitest, itself process `vitest`, has started keep the databases that tests share. */
export const databasesOf = (vitest: number): string => join(tmpdir(), `warpshrew-test-databases-${vitest}`);

/**
 * Takes them away after all tests (`globalSetup` in vitest.config.ts); and before them, because one that was killed may
 * have had the same number.
 */
export function teardown(): void {
  rmSync(databasesOf(process.pid), { recursive: true, force: true });
}

export const setup = teardown;
