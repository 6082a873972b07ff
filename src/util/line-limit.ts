const WINDOW_MS = 1_000;

/**
 * Passes on a limited number of lines per second and counts the others: programs may write millions. `send` gets a line
 * and how many were left out before it; without a line where none came that could tell.
 */
export class LineLimit<Line> {
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #linesPerSecond: number;
  readonly #send: (line: Line | undefined, leftOut: number) => void;
  readonly #now: () => number;

  constructor(
    linesPerSecond: number,
    send: (line: Line | undefined, leftOut: number) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#linesPerSecond = linesPerSecond;
    this.#send = send;
    this.#now = now;
  }

  /** `line` is made only where it is passed on. */
  write(line: () => Line): void {
    if (!this.#hasRoom()) {
      this.leaveOut(1);
      return;
    }
    this.#inWindow++;
    this.#pass(line());
  }

  /** Counts lines that nobody shall see. */
  leaveOut(lines: number): void {
    if (lines === 0) return;
    this.#leftOut += lines;
    // Reported on its own if no further line carries it.
    this.#timer ??= setTimeout(() => this.#tellLeftOut(), WINDOW_MS).unref();
  }

  #hasRoom(): boolean {
    if (this.#now() - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = this.#now();
      this.#inWindow = 0;
    }
    return this.#inWindow < this.#linesPerSecond;
  }

  #tellLeftOut(): void {
    this.#timer = undefined;
    if (this.#leftOut > 0) this.#pass(undefined);
  }

  #pass(line: Line | undefined): void {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#send(line, leftOut);
  }
}
