import type { CODE_CLASSES, EXIT } from '../src/errors/codes/registry.js';
import type { HOST_CALL_FUEL, HOST_FUNCTIONS, INTRINSICS } from '../src/program/env.js';
import type { BULK, ENTRY, RESULT_FUEL } from '../src/program/prices.js';
import type { flagOf } from '../src/service/option.js';
import type { OPTIONS } from '../src/service/options.js';
import type { ROCKSHREW_FLAGS } from '../src/service/rockshrew-flags.js';

/** What the sources export for the tables. */
export interface DocsSources {
  readonly CODE_CLASSES: typeof CODE_CLASSES;
  readonly EXIT: typeof EXIT;
  readonly HOST_CALL_FUEL: typeof HOST_CALL_FUEL;
  readonly HOST_FUNCTIONS: typeof HOST_FUNCTIONS;
  readonly INTRINSICS: typeof INTRINSICS;
  readonly ENTRY: typeof ENTRY;
  readonly BULK: typeof BULK;
  readonly RESULT_FUEL: typeof RESULT_FUEL;
  readonly OPTIONS: typeof OPTIONS;
  readonly flagOf: typeof flagOf;
  readonly ROCKSHREW_FLAGS: typeof ROCKSHREW_FLAGS;
}

export function withTable(page: string, name: string, text: string): string;
export function docsTables(of: DocsSources): readonly (readonly [page: string, name: string, text: string])[];
