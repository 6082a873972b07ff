/** Limits of a program's module (lane rules 3). Every one is checked before anything of that size is allocated. */
export const LIMITS = {
  /** Bytes of the inflated module. */
  moduleBytes: 4 * 1024 * 1024,
  /** Functions, imported ones included. */
  functions: 10_000,
  globals: 1_000,
  /** Parameters and locals of one function. */
  locals: 1_000,
  /** Results of one function type. */
  results: 64,
  /** Nested block, loop and if; the body itself is not counted. */
  nesting: 256,
  /** Targets of one br_table, the default not counted. */
  brTable: 4_096,
  tableElements: 4_096,
  /** Bytes of all data segments together. */
  dataBytes: 1024 * 1024,
  /** Pages of memory: greatest minimum, and the maximum that every memory gets. */
  memoryPages: 512,
  /** The three below are what every engine that follows the WebAssembly JavaScript interface refuses. */
  nameBytes: 100_000,
  dataSegments: 100_000,
  functionBytes: 7_654_321,
} as const;
