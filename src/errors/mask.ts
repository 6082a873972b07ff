/**
 * The text without user and password of the addresses in it: `http://user:password@host` becomes `http://***@host`.
 * All output and logs go through this, whatever their origin. An `@` later in an address hides more than
 * needed.
 */
export function maskUserInfo(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/(?:[^\s"<>\\]|\\.)+/g, (run) => {
    const start = run.indexOf('://') + 3;
    const end = run.lastIndexOf('@');
    return start > 2 && end >= start ? `${run.slice(0, start)}***${run.slice(end)}` : run;
  });
}
