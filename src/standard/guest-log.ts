import { LineLimit } from '../util/line-limit.js';

/** Bytes kept of a line that a module logs. */
export const LINE_BYTES = 1_024;

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

/** The log of a module: a limited number of lines per second. */
export class GuestLog {
  #height = 0;
  #view: string | undefined;
  readonly #lines: LineLimit<string>;

  constructor(linesPerSecond: number, send: (line: GuestLine) => void, now?: () => number) {
    const pass = (text: string | undefined, leftOut: number): void =>
      send({ text, leftOut, height: this.#height, view: this.#view });
    this.#lines = new LineLimit(linesPerSecond, pass, now);
  }

  /** Sets what the next lines belong to; `view` undefined: a block. */
  begin(height: number, view: string | undefined): void {
    this.#height = height;
    this.#view = view;
  }

  write(text: string): void {
    this.#lines.write(() => text);
  }
}
