import { ProgramError } from '../errors/errors.js';

/** Bytes that each part of an answer takes beside what it says, about. */
const PART_BYTES = 100;

/** What an answer may take, counted before it is made. */
export class AnswerBudget {
  #left: number;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** A part of so many characters. Throws ProgramError VIEW_ANSWER_TOO_LARGE if the answer becomes too large. */
  take(characters: number): void {
    this.#left -= PART_BYTES + characters;
    if (this.#left >= 0) return;
    throw new ProgramError('VIEW_ANSWER_TOO_LARGE', 'the answer is larger than an answer of a view may be', {
      facts: { limit: this.#most },
      hint: 'Allow larger answers: --view-answer-bytes.',
    });
  }
}
