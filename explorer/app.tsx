import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useChain } from './data/chain.js';
import { whole } from './data/format.js';
import { find } from './data/search.js';
import { AddressPage } from './pages/address.js';
import { BlockPage } from './pages/block.js';
import { ContractPage } from './pages/contract.js';
import { ContractsPage } from './pages/contracts.js';
import { OutputPage } from './pages/output.js';
import { SearchPage } from './pages/search.js';
import { StatusPage } from './pages/status.js';
import { TransactionPage } from './pages/transaction.js';
import { type PageName, pathTo, type Route, useRoute } from './route.js';
import { To } from './ui/parts.js';

const TABS: readonly { readonly page: PageName; readonly name: string; readonly of: readonly PageName[] }[] = [
  { page: 'status', name: 'Status', of: ['status'] },
  { page: 'contracts', name: 'Contracts', of: ['contracts', 'contract'] },
];

export function App(): JSX.Element {
  const route = useRoute();
  const { page, about } = route;
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // Another page is another title, and begins at its beginning: before it shows, or who types by then loses the focus.
  useLayoutEffect(() => {
    document.title = `${titleOf(route)} · warpshrew`;
    if (!first.current) main.current?.focus();
    first.current = false;
  }, [page, about]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header class="top">
        <div class="top-in">
          <a class="brand" href={pathTo('status')}>
            warpshrew
          </a>
          <nav aria-label="Pages">
            {TABS.map(({ page: to, name, of }) => (
              <a key={to} href={pathTo(to)} aria-current={of.includes(page) ? 'page' : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <Search />
          <Tip />
        </div>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        <Page route={route} key={`${page}/${about}`} />
      </main>
    </>
  );
}

function titleOf({ page, about }: Route): string {
  const names = { status: 'Status', contracts: 'Contracts', search: 'Search', block: 'Block', tx: 'Transaction' };
  const name = { ...names, contract: 'Contract', output: 'Output', address: 'Address' }[page];
  return about === '' ? name : `${name} ${about.slice(0, 16)}`;
}

function Page({ route: { page, about } }: { route: Route }): JSX.Element {
  switch (page) {
    case 'status':
      return <StatusPage />;
    case 'block':
      return <BlockPage about={about} />;
    case 'tx':
      return <TransactionPage txid={about} />;
    case 'contract':
      return <ContractPage id={about} />;
    case 'contracts':
      return <ContractsPage codeHash={about} />;
    case 'output':
      return <OutputPage outpoint={about} />;
    case 'address':
      return <AddressPage about={about} />;
    default:
      return <SearchPage text={about} />;
  }
}

/** The newest block, and whether more are told as they come. */
function Tip(): JSX.Element {
  const { tip, isLive } = useChain();
  return (
    <div class="tip">
      <i class={`dot ${isLive ? 'live' : 'still'}`} aria-hidden="true" />
      <span class="unseen">{isLive ? 'live, ' : 'not connected, '}newest block</span>
      {tip === undefined ? (
        '–'
      ) : (
        <To page="block" about={tip}>
          {whole(tip)}
        </To>
      )}
    </div>
  );
}

function Search(): JSX.Element {
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const { target } = event;
      const types = target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (event.key !== '/' || types || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
  const search = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (text.trim() === '') return;
    try {
      const found = await find(text);
      setFault(undefined);
      location.hash = found ?? pathTo('search', text.trim());
      if (found !== undefined) setText('');
    } catch (error) {
      setFault(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <search>
      <form class="search" onSubmit={(event) => void search(event)}>
        <input
          ref={field}
          type="search"
          aria-label="Search for a block, transaction, contract, output or address"
          placeholder="Height, hash, txid, contract 2:1, txid:vout, address"
          maxLength={200}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <span class="key" aria-hidden="true">
          /
        </span>
        {fault !== undefined && (
          <p class="search-fault" role="alert">
            {fault}
          </p>
        )}
      </form>
    </search>
  );
}
