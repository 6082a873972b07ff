/**
 * A line for a terminal: control characters, those that turn the direction of text, and further line ends as escapes
 * (`\u{1b}`). What contracts say is anyone's.
 */
export function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (code) => `\\u{${code.codePointAt(0)?.toString(16)}}`);
}
