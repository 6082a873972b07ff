/**
 * The ids of requests exactly as written. Clients choose ids that a double cannot hold (64-bit numbers) or would print
 * differently (1.0, 1e400), and never match an answer whose id has changed.
 */

const QUOTE = '"';
const BACKSLASH = 0x5c;
const WORD = /[-+.\w]+/y;

/**
 * Text of the value of `id` of every request of a body: one entry for a body that is not an array, otherwise one per
 * element. undefined: not an object, or an object without `id`. Of several members named `id` the last counts, as in
 * `JSON.parse`. `text` must be JSON that was parsed without an error.
 */
export function requestIds(text: string): (string | undefined)[] {
  const scan = new Scan(text);
  if (scan.peek() !== '[') return [scan.idOfValue()];
  return [...scan.elements()];
}

/** Scans valid JSON. */
class Scan {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not white space. */
  peek(): string {
    const text = this.#text;
    let code = text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++this.#at);
    return text.charAt(this.#at);
  }

  /** Ids of the elements of an array. */
  *elements(): Generator<string | undefined> {
    this.#at++;
    if (this.peek() === ']') return;
    do yield this.idOfValue();
    while (this.#isNext(','));
  }

  /** Skips a value; returns the text of its member `id` if it is an object that has one. */
  idOfValue(): string | undefined {
    if (this.peek() !== '{') {
      this.#value();
      return undefined;
    }
    this.#at++;
    let id: string | undefined;
    if (this.peek() !== '}') {
      do {
        this.peek();
        const name = this.#value();
        this.#isNext(':');
        this.peek();
        const value = this.#value();
        if (isId(name)) id = value;
      } while (this.#isNext(','));
    }
    this.#isNext('}');
    return id;
  }

  /** Skips the next character if it is `wanted`. */
  #isNext(wanted: string): boolean {
    if (this.peek() !== wanted) return false;
    this.#at++;
    return true;
  }

  /** Skips the value that begins here, and returns its text. */
  #value(): string {
    const start = this.#at;
    let depth = 0;
    do {
      const first = this.peek();
      if (first === QUOTE) this.#string();
      else if (first === '[' || first === '{') this.#at++;
      else if (first === ']' || first === '}' || first === ',' || first === ':') this.#at++;
      else this.#word();
      if (first === '[' || first === '{') depth++;
      else if (first === ']' || first === '}') depth--;
    } while (depth > 0);
    return this.#text.slice(start, this.#at);
  }

  /** A number, true, false or null. */
  #word(): void {
    WORD.lastIndex = this.#at;
    WORD.test(this.#text);
    this.#at = WORD.lastIndex;
  }

  #string(): void {
    const text = this.#text;
    const from = this.#at + 1;
    for (let end = text.indexOf(QUOTE, from); ; end = text.indexOf(QUOTE, end + 1)) {
      let escapes = 0;
      while (end - 1 - escapes >= from && text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
      if (escapes % 2 === 1) continue;
      this.#at = end + 1;
      return;
    }
  }
}

/** Names may be written with escapes. */
function isId(name: string): boolean {
  return name === '"id"' || (name.includes('\\') && name.length <= 14 && JSON.parse(name) === 'id');
}
