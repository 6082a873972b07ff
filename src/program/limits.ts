const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * Limits of a program's module (docs/lane-rules.md, section 3). Every one is checked before anything of that size is
 * allocated, and each lies below the limits of every engine even after instrumentation has added its own.
 */
export const LIMITS = {
  /** Bytes of the inflated module. */
  moduleBytes: 2 * MIB,
  types: 1_000,
  imports: 100,
  /** Functions, imported ones included. */
  functions: 10_000,
  globals: 1_000,
  exports: 1_000,
  elementSegments: 1_000,
  dataSegments: 1_000,
  /** Parameters and locals of one function; parameters of one type. */
  locals: 1_000,
  /** Results of one function type. */
  results: 64,
  /** Parameters and results of all types together. */
  typeValues: 10_000,
  /** Declared locals of all functions together. */
  declaredLocals: 20_000,
  /** Bytes of one function's body, its declarations of locals included. */
  bodyBytes: 256 * KIB,
  /** Instructions of one function that begin or end a block; a br_table counts once for each of its labels. */
  controlInstructions: 10_000,
  /** Parameters of one block, loop or if, and its results. */
  blockParams: 16,
  blockResults: 16,
  /** Nested block, loop and if; the body itself is not counted. */
  nesting: 512,
  /** Loops that lie in each other, the innermost included. */
  loops: 32,
  /** Targets of one br_table, the default not counted. */
  brTable: 4_096,
  /**
   * Cost of a module's functions for an optimising compiler: the sum of control instructions x (nesting + locals and
   * parameters + operand depth). At most this, and at most what {@link compileWorkAllowed} gives for its bytes.
   */
  compileWork: 5_000_000,
  tableElements: 4_096,
  /** Bytes of all data segments together. */
  dataBytes: 1.5 * MIB,
  /** Bytes of UTF-8 of one name: of an export, an import, its module, a custom section. */
  nameBytes: 1_000,
  /** Pages of memory: greatest minimum, and the maximum that every memory gets. */
  memoryPages: 512,
} as const;

/** Compile work that a module of `bytes` bytes may need (docs/lane-rules.md, section 3). */
export function compileWorkAllowed(bytes: number): number {
  return Math.min(LIMITS.compileWork, 20 * bytes + 10_000);
}
