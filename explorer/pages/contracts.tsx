import type { JSX } from 'preact';
import { brief, whole } from '../data/format.js';
import { rpc } from '../data/rpc.js';
import { Pages } from '../ui/pages.js';
import { ContractLink, Notice, To, TxLink } from '../ui/parts.js';

export function ContractsPage({ codeHash }: { codeHash: string }): JSX.Element {
  const filter = codeHash === '' ? {} : { codeHash };
  return (
    <>
      <h1>Contracts</h1>
      {codeHash !== '' && (
        <Notice>
          Only those that run the code <code title={codeHash}>{brief(codeHash)}</code>. <a href="#/contracts">All</a>
        </Notice>
      )}
      <section class="card">
        <Pages
          label="Contracts of the lane"
          of={codeHash}
          load={(cursor) => rpc.call('warpshrew_listcontracts', { ...filter, cursor })}
          empty="There is no contract yet."
          keyOf={({ id }) => id}
          columns={[
            { name: 'Contract', cell: ({ id }) => <ContractLink id={id} /> },
            {
              name: 'Code',
              cell: (row) => (
                <To page="contracts" about={row.codeHash} title={row.codeHash}>
                  <code>{brief(row.codeHash, 6)}</code>
                </To>
              ),
            },
            { name: 'Clone of', cell: ({ cloneOf }) => (cloneOf === null ? '–' : <ContractLink id={cloneOf} />) },
            {
              name: 'Created in',
              isNumber: true,
              by: ({ height }) => height,
              cell: ({ height }) => (
                <To page="block" about={height}>
                  {whole(height)}
                </To>
              ),
            },
            { name: 'By', cell: ({ txid }) => (txid === null ? '–' : <TxLink txid={txid} />) },
          ]}
        />
      </section>
    </>
  );
}
