/**
 * JSON text without its comments (`//` to the end of the line and block comments), each replaced by blanks, so that
 * positions in parse errors stay right. Strings are left alone; an unterminated comment extends to the end of the text.
 */
export function stripComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"?|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, (part) =>
    part[0] === '"' ? part : part.replace(/[^\n]/g, ' '),
  );
}
