/** Pages that are gone through with the keyboard, one line of input after the other. */

const HELP = 'Enter: next, p: back, a number: that step, /TEXT: the next step with it, q: end';

/**
 * Shows the first of `pages`, and others as `lines` ask for them, until they end, `q`, or Enter on the last page.
 */
export async function stepThrough(
  pages: readonly string[],
  lines: AsyncIterable<string>,
  say: (text: string) => void,
): Promise<void> {
  let at = 0;
  const show = (): void => say(`${pages[at]}\n(${HELP})`);
  show();
  for await (const line of lines) {
    const asked = line.trim();
    if (asked === 'q') return;
    const next = placeOf(pages, at, asked);
    if (next === undefined) {
      say(HELP);
      continue;
    }
    if (next >= pages.length) return;
    at = next;
    show();
  }
}

/** Undefined: nothing is meant by it. */
function placeOf(pages: readonly string[], at: number, asked: string): number | undefined {
  if (asked === '' || asked === 'n') return at + 1;
  if (asked === 'p') return Math.max(0, at - 1);
  if (/^\d{1,6}$/.test(asked)) return Math.min(pages.length, Math.max(1, Number(asked))) - 1;
  if (!asked.startsWith('/') || asked === '/') return undefined;
  const found = pages.findIndex((page, place) => place > at && page.includes(asked.slice(1)));
  return found < 0 ? undefined : found;
}
