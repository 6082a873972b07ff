/** What compiling may take of a block that runs one transaction after the other. */
import type { ProgramRunner } from '../../program/runner.js';

/**
 * Bytes of machine code, by the estimate of code-size.ts: some three seconds of compiling, and four times what a thread
 * keeps. More of it comes of programs that are forgotten and compiled again. In batches those that call the same
 * program follow each other, and it is compiled about once.
 */
const MOST_COMPILED_BYTES = 1024 * 1024 * 1024;

/** Thrown where a block is given up as one that compiles too much: no error, for batches take it. */
export class CompilesTooMuch extends Error {
  constructor() {
    super('a block has more code compiled than it is given, one transaction after the other');
    this.name = 'CompilesTooMuch';
  }
}

/** Looks at what one runner compiles from now on. */
export class CompileGuard {
  readonly #runner: ProgramRunner;
  readonly #most: number;

  constructor(runner: ProgramRunner, mostBytes = MOST_COMPILED_BYTES) {
    this.#runner = runner;
    this.#most = runner.bytesEverCompiled + mostBytes;
  }

  /** After each transaction. Throws {@link CompilesTooMuch}. */
  check(): void {
    if (this.#runner.bytesEverCompiled > this.#most) throw new CompilesTooMuch();
  }
}
