/** Between the command and the threads that run its tests. */
import type { DirectRequest } from './direct-kernel.js';
import type { TestReport } from './run-tests.js';

export interface TestThreadSetup {
  /** The folder of the project. */
  readonly folder: string;
  readonly files: readonly { readonly source: string; readonly module: string }[];
  readonly contracts: ReadonlyMap<string, Uint8Array>;
  /** This thread runs every `threads`-th test, from `thread` on. */
  readonly thread: number;
  readonly threads: number;
  /** Part of the names that are run; all if empty. */
  readonly filter: string;
  readonly fuzzCalls: number;
  readonly seed: number;
  readonly conflicts: boolean;
  readonly keepsRuns: boolean;
  /** The contracts tell what they run. */
  readonly covers: boolean;
}

export type TestThreadMessage =
  | { readonly kind: 'reports'; readonly reports: readonly TestReport[] }
  | DirectRequest
  | { readonly kind: 'failed'; readonly file: string; readonly message: string }
  | { readonly kind: 'covered'; readonly hits: ReadonlyMap<number, number> }
  | { readonly kind: 'done' };
