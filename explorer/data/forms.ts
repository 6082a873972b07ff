import { type PageName, pathTo } from '../route.js';

/** The address of the page that a text can only mean by its form; undefined: it may mean several, or none. */
export function pageOf(text: string): string | undefined {
  const forms: readonly [RegExp, PageName][] = [
    [/^#?(\d[\d,_ ]{0,11})$/, 'block'],
    [/^(\d{1,39}:\d{1,39})$/, 'contract'],
    [/^([0-9a-f]{64}:\d{1,10})$/, 'output'],
  ];
  for (const [form, page] of forms) {
    const match = form.exec(text);
    if (match !== null) return pathTo(page, page === 'block' ? Number(match[1].replace(/\D/g, '')) : match[1]);
  }
  return undefined;
}
