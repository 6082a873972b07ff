/** Which page the address names, behind its `#`: the server has one page, and needs not know what is on it. */
import { useEffect, useState } from 'preact/hooks';

const PAGES = ['status', 'block', 'tx', 'contracts', 'contract', 'output', 'address', 'search'] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  readonly page: PageName;
  /** A height, txid, id, outpoint, address, script or what was searched for; empty on pages about nothing. */
  readonly about: string;
}

/** Longest text that a page can be about. */
const LONGEST = 200;

export function routeOf(hash: string): Route {
  const [, name = '', about = ''] = /^#?\/?([^/]*)\/?(.*)$/.exec(hash) ?? [];
  const page = PAGES.find((each) => each === name);
  if (page === undefined) return { page: 'status', about: '' };
  return { page, about: decoded(about).slice(0, LONGEST) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a page, for links. */
export function pathTo(page: PageName, about: string | number = ''): string {
  return about === '' ? `#/${page}` : `#/${page}/${encodeURIComponent(about).replaceAll('%3A', ':')}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const changed = (): void => {
      setRoute(routeOf(location.hash));
      scrollTo(0, 0);
    };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
