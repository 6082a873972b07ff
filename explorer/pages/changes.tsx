import type { JSX } from 'preact';
import type { Simulation } from '../../src/client/types.js';
import { amount } from '../data/format.js';
import { ownText } from '../data/keys.js';
import { Data } from '../ui/data.js';
import { ContractLink, Empty, Hash, OutputLink } from '../ui/parts.js';
import { Table } from '../ui/table.js';

type Changed = Pick<Simulation, 'storage' | 'balances' | 'created' | 'sequence' | 'sheets'>;

/** What a run changes, before and after. */
export function Changes({ storage, balances, created, sequence, sheets }: Changed): JSX.Element {
  const nothing = storage.length + balances.length + created.length + sheets.length === 0 && sequence === null;
  if (nothing) return <Empty>It changes nothing.</Empty>;
  const value = (hex: string | null): JSX.Element =>
    hex === null ? <span class="quiet">absent</span> : <Data hex={hex} bytes={hex.length / 2} />;
  return (
    <>
      {storage.length > 0 && (
        <Table
          label="Storage that it changes"
          rows={storage}
          keyOf={({ contract, key }) => `${contract} ${key}`}
          columns={[
            { name: 'Storage of', cell: ({ contract }) => <ContractLink id={contract} /> },
            { name: 'Key', cell: ({ key }) => <code class="wrap">{ownText(key)}</code> },
            { name: 'Before', cell: ({ before }) => value(before) },
            { name: 'After', cell: ({ after }) => value(after) },
          ]}
        />
      )}
      {balances.length > 0 && (
        <Table
          label="Balances that it changes"
          rows={balances}
          keyOf={({ holder, asset }) => `${holder} ${asset}`}
          columns={[
            { name: 'Balance of', cell: ({ holder }) => <ContractLink id={holder} /> },
            { name: 'Asset', cell: ({ asset }) => <ContractLink id={asset} /> },
            { name: 'Before', isNumber: true, cell: ({ before }) => amount(before) },
            { name: 'After', isNumber: true, cell: ({ after }) => amount(after) },
          ]}
        />
      )}
      {sheets.length > 0 && (
        <Table
          label="Outputs whose assets it changes"
          rows={sheets}
          keyOf={({ outpoint }) => outpoint}
          columns={[
            { name: 'Output', cell: ({ outpoint }) => <OutputLink outpoint={outpoint} /> },
            { name: 'Before', cell: ({ before }) => <SheetText sheet={before} /> },
            { name: 'After', cell: ({ after }) => <SheetText sheet={after} /> },
          ]}
        />
      )}
      {created.length > 0 && (
        <Table
          label="Contracts that it creates"
          rows={created}
          keyOf={({ id }) => id}
          columns={[
            { name: 'Creates', cell: ({ id }) => <ContractLink id={id} /> },
            { name: 'Clone of', cell: ({ cloneOf }) => (cloneOf === null ? '–' : <ContractLink id={cloneOf} />) },
            { name: 'Code', cell: ({ codeHash }) => (codeHash === null ? '–' : <Hash text={codeHash} />) },
          ]}
        />
      )}
      {sequence !== null && (
        <p class="quiet">
          The next sequence number goes from {sequence.before} to {sequence.after}.
        </p>
      )}
    </>
  );
}

function SheetText({ sheet }: { sheet: Readonly<Record<string, string>> }): JSX.Element {
  const assets = Object.entries(sheet);
  if (assets.length === 0) return <span class="quiet">nothing</span>;
  return (
    <>
      {assets.map(([id, of]) => (
        <div key={id}>
          {amount(of)} of <ContractLink id={id} />
        </div>
      ))}
    </>
  );
}
