/** Larger ones are not kept, nor are those to longer questions. */
const MOST_CHARACTERS = 64 << 10;
const LONGEST_QUESTION = 256;
/** Characters of all, questions included. */
const ALL_CHARACTERS = 8 << 20;

/** Results, as JSON texts, that follow from what is stored: each is good until something is written. */
export class StoredAnswers {
  readonly #texts = new Map<string, string>();
  #characters = 0;
  #version: number | undefined;
  readonly #now: () => number;

  /** `now`: the version of the store. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get(question: string): string | undefined {
    const version = this.#now();
    if (version !== this.#version) {
      this.#forget();
      this.#version = version;
    }
    return this.#texts.get(question);
  }

  /** Keeps what was read since `get` was asked, if nothing was written meanwhile. */
  put(question: string, text: string): void {
    const characters = question.length + text.length;
    if (question.length > LONGEST_QUESTION || text.length > MOST_CHARACTERS) return;
    if (this.#texts.has(question) || this.#now() !== this.#version) return;
    if (this.#characters + characters > ALL_CHARACTERS) this.#forget();
    this.#characters += characters;
    this.#texts.set(question, text);
  }

  #forget(): void {
    this.#texts.clear();
    this.#characters = 0;
  }
}
