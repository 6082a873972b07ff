import { type PageName, pathTo } from '../route.js';

/** The address of the page that a text can only mean by its form; undefined: it may mean several, or none. */
export function pageOf(text: string): string | undefined {
  const forms: readonly [RegExp, PageName][] = [
    [/^#?(\d[\d,_ ]{0,11})$/, 'block'],
    [/^(\d{1,39}:\d{1,39})$/, 'contract'],
    [/^([0-9a-f]{64}:\d{1,10})$/i, 'output'],
    // Bech32 of any network, Base58Check, and scripts; 64 digits are a hash, of whatever.
    [/^((?:bc|tb|bcrt)1[02-9ac-hj-np-z]{6,86})$/i, 'address'],
    [/^([1-9A-HJ-NP-Za-km-z]{26,35})$/, 'address'],
    [/^(?!.{64}$)((?:[0-9a-f]{2}){20,})$/i, 'address'],
    [/^(?!0x.{64}$)(0x(?:[0-9a-f]{2})+)$/i, 'address'],
  ];
  for (const [form, page] of forms) {
    const match = form.exec(text);
    if (match === null) continue;
    const [, about] = match;
    if (page === 'block') return pathTo(page, Number(about.replace(/\D/g, '')));
    return pathTo(page, page === 'output' ? about.toLowerCase() : about);
  }
  return undefined;
}

/** Who has outputs: an address, or a script by itself or by its SHA-256. */
export type Owner = { readonly address: string } | { readonly script: string } | { readonly scriptHash: string };

/** What a page of an owner is about: a script or its SHA-256 in hex, else an address, which the server checks. */
export function ownerNamed(text: string): Owner {
  if (/^(0x)?[0-9a-f]{64}$/i.test(text)) return { scriptHash: text };
  return /^(0x([0-9a-f]{2})*|([0-9a-f]{2}){20,})$/i.test(text) ? { script: text } : { address: text };
}
