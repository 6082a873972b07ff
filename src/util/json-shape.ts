const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Whether JSON text stays within bounds of nesting and of separators, looked at before anything is parsed: a body of
 * brackets or of single digits would take many times its size in memory. Says nothing of whether the text is valid.
 */
export function withinShape(text: Uint8Array, maxDepth: number, maxSeparators: number): boolean {
  let depth = 0;
  let separators = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case QUOTE:
        at = stringEnd(text, at + 1);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > maxDepth) return false;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // ,
        if (++separators > maxSeparators) return false;
        break;
    }
  }
  return true;
}

/** Index of the quote that ends a string begun before `from`, or the text's length. */
function stringEnd(text: Uint8Array, from: number): number {
  for (let at = text.indexOf(QUOTE, from); at !== -1; at = text.indexOf(QUOTE, at + 1)) {
    let escapes = 0;
    while (at - 1 - escapes >= from && text[at - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}
