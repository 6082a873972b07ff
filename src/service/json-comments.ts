/**
 * JSON text without its comments (`//` to the end of the line and block comments), each replaced by blanks, so that
 * positions in parse errors stay right. What stands inside a string is no comment; a comment that does not end goes on
 * to the end of the text.
 */
export function stripComments(text: string): string {
  return text.replace(/"(?:[^"\\]|\\[\s\S])*"?|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, (part) =>
    part[0] === '"' ? part : part.replace(/[^\n]/g, ' '),
  );
}
