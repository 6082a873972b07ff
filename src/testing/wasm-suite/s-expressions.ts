/** An atom or string as it is written (strings with their quotes), or a list of these. */
export type Expression = string | readonly Expression[];

const TOKEN = /\s+|;;[^\n]*|\(;[\s\S]*?;\)|"(?:[^"\\]|\\.)*"|[()]|[^\s()";]+/gy;
const MAX_DEPTH = 1_000;

/** A top-level form with its own text. */
export interface Form {
  readonly expression: readonly Expression[];
  readonly text: string;
}

/** The top-level forms of a script. Throws RangeError for text that is no script. */
export function readForms(text: string): Form[] {
  const forms: Form[] = [];
  const open: { list: Expression[]; at: number }[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) throw new RangeError(`not a token at ${at}`);
    if (/^(\s|;;|\(;)/.test(token)) continue;
    if (token === '(') {
      if (open.length > MAX_DEPTH) throw new RangeError('nested too deep');
      open.push({ list: [], at });
    } else if (token === ')') {
      const done = open.pop();
      if (done === undefined) throw new RangeError(`a parenthesis too many at ${at}`);
      const parent = open[open.length - 1];
      if (parent === undefined) forms.push({ expression: done.list, text: text.slice(done.at, TOKEN.lastIndex) });
      else parent.list.push(done.list);
    } else open[open.length - 1]?.list.push(token);
  }
  if (open.length > 0) throw new RangeError('a parenthesis is missing');
  return forms;
}

/** The expression as text again. */
export function writeExpression(e: Expression): string {
  return typeof e === 'string' ? e : `(${e.map(writeExpression).join(' ')})`;
}

/** Every atom in it. */
export function* atoms(e: Expression): Generator<string> {
  if (typeof e === 'string') yield e;
  else for (const part of e) yield* atoms(part);
}

/** Bytes of a string token. */
export function stringBytes(token: string): Uint8Array {
  const out: number[] = [];
  const named: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, '"': 34, "'": 39, '\\': 92 };
  const encoder = new TextEncoder();
  for (const [part] of token.slice(1, -1).matchAll(/\\u\{[0-9a-fA-F]+\}|\\[0-9a-fA-F]{2}|\\.|[^\\]+/gs)) {
    if (part.startsWith('\\u'))
      out.push(...encoder.encode(String.fromCodePoint(Number.parseInt(part.slice(3, -1), 16))));
    else if (!part.startsWith('\\')) out.push(...encoder.encode(part));
    else out.push(named[part.slice(1)] ?? Number.parseInt(part.slice(1), 16));
  }
  return Uint8Array.from(out);
}
