/** Bytes kept of a line that a module logs. */
export const LINE_BYTES = 1_024;
const WINDOW_MS = 1_000;

/** A line that a module wrote with `__log`, or a count of lines that were left out. */
export interface GuestLine {
  /** Undefined: only the count of lines that were left out. */
  readonly text: string | undefined;
  /** Lines left out since the line before. */
  readonly leftOut: number;
  /** Height of the block, or the height given to the view. */
  readonly height: number;
  readonly view: string | undefined;
}

/** Passes on a limited number of a module's lines per second and counts the others. A module may write millions. */
export class GuestLog {
  #height = 0;
  #view: string | undefined;
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #leftOut = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #linesPerSecond: number;
  readonly #send: (line: GuestLine) => void;
  readonly #now: () => number;

  constructor(linesPerSecond: number, send: (line: GuestLine) => void, now: () => number = () => performance.now()) {
    this.#linesPerSecond = linesPerSecond;
    this.#send = send;
    this.#now = now;
  }

  /** Sets what the next lines belong to; `view` undefined: a block. */
  begin(height: number, view: string | undefined): void {
    this.#height = height;
    this.#view = view;
  }

  write(text: string): void {
    if (this.#now() - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = this.#now();
      this.#inWindow = 0;
    }
    if (this.#inWindow >= this.#linesPerSecond) {
      this.#leftOut++;
      // Reported on its own if no further line carries it.
      this.#timer ??= setTimeout(() => this.#tellLeftOut(), WINDOW_MS).unref();
      return;
    }
    this.#inWindow++;
    this.#pass(text);
  }

  #tellLeftOut(): void {
    this.#timer = undefined;
    if (this.#leftOut > 0) this.#pass(undefined);
  }

  #pass(text: string | undefined): void {
    const height = this.#height;
    const view = this.#view;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#send({ text, leftOut, height, view });
  }
}
