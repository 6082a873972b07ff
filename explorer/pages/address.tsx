import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useChain } from '../data/chain.js';
import { amount, count, whole } from '../data/format.js';
import { type Owner, ownerNamed } from '../data/forms.js';
import { useLoad } from '../data/load.js';
import { assetsOf, type Holding, holdingOf, isNotIndexed } from '../data/owner.js';
import { rpc } from '../data/rpc.js';
import { Pages } from '../ui/pages.js';
import { Card, ContractLink, Facts, Hash, Notice, OutputLink, Shown, To, TxLink } from '../ui/parts.js';
import { Table } from '../ui/table.js';

interface Of {
  readonly about: string;
  readonly owner: Owner;
  /** Changes when what is shown may be undone. */
  readonly version: number;
}

export function AddressPage({ about }: { about: string }): JSX.Element {
  const { undoings: version } = useChain();
  const owner = ownerNamed(about);
  const holding = useLoad(about, () => holdingOf(owner), version);
  const of = { about, owner, version };
  return (
    <>
      <h1>{'address' in owner ? 'Address' : 'Script'}</h1>
      <p class="sub">
        <Hash text={about} whole />
        {'scriptHash' in owner && ' (SHA-256 of a script)'}
      </p>
      {isNotIndexed(holding.error) ? (
        <Notice tone="warn">
          <strong>This server keeps no index by address.</strong> It is made while the chain is indexed: start with{' '}
          <code>warpshrew index --index addresses</code> and a new folder.
        </Notice>
      ) : (
        <Shown loaded={holding}>
          {(value) => (
            <>
              <div class="columns">
                <Balance holding={value} />
                <Assets of={of} />
              </div>
              <Outputs of={of} />
              <History of={of} />
            </>
          )}
        </Shown>
      )}
    </>
  );
}

function Balance({ holding: { amount: sum, outputs, complete } }: { holding: Holding }): JSX.Element {
  return (
    <Card title="Balance">
      <Facts
        facts={[
          ['Satoshis', <strong key="s">{amount(sum.toString())}</strong>],
          ['On', complete ? count(outputs, 'unspent output') : `the newest ${whole(outputs)} unspent outputs, of more`],
        ]}
      />
    </Card>
  );
}

function Assets({ of: { about, owner, version } }: { of: Of }): JSX.Element {
  const loaded = useLoad(about, () => assetsOf(owner), version);
  return (
    <Card title="Assets">
      <Shown loaded={loaded}>
        {({ assets, complete }) => (
          <>
            {!complete && <Notice>Only the first of its outputs were looked at: it may hold more.</Notice>}
            <Table
              label="Assets of the lane that it holds"
              rows={assets}
              keyOf={({ asset }) => asset}
              empty="It holds no assets of the lane."
              columns={[
                { name: 'Asset', cell: ({ asset }) => <ContractLink id={asset} /> },
                { name: 'Amount', isNumber: true, cell: (row) => amount(row.amount) },
                { name: 'Outputs', isNumber: true, cell: ({ outputs }) => whole(outputs) },
              ]}
            />
          </>
        )}
      </Shown>
    </Card>
  );
}

function Outputs({ of: { about, owner, version } }: { of: Of }): JSX.Element {
  const [unspent, setUnspent] = useState(true);
  const aside = (
    <button type="button" aria-pressed={!unspent} onClick={() => setUnspent(!unspent)}>
      Spent ones too
    </button>
  );
  return (
    <Card title="Outputs" aside={aside}>
      <Pages
        label="Outputs, the newest first"
        of={`${about} ${unspent}`}
        version={version}
        load={(cursor) => rpc.call('warpshrew_listoutputs', { ...owner, unspent, reverse: true, cursor })}
        keyOf={({ outpoint }) => outpoint}
        empty={unspent ? 'Nothing is left to spend.' : 'It never had an output.'}
        columns={[
          { name: 'Output', cell: ({ outpoint }) => <OutputLink outpoint={outpoint} /> },
          { name: 'Satoshis', isNumber: true, cell: (row) => amount(row.amount) },
          { name: 'Block', isNumber: true, cell: ({ height }) => <BlockLink height={height} /> },
          {
            name: 'Spent by',
            cell: ({ spent }) =>
              spent === null ? (
                '–'
              ) : (
                <>
                  <TxLink txid={spent.txid} /> in <BlockLink height={spent.height} />
                </>
              ),
          },
        ]}
      />
    </Card>
  );
}

function History({ of: { about, owner, version } }: { of: Of }): JSX.Element {
  return (
    <Card title="History">
      <Pages
        label="Transactions, the newest first"
        of={about}
        version={version}
        load={(cursor) => rpc.call('warpshrew_listhistory', { ...owner, reverse: true, cursor })}
        keyOf={({ height, index }) => `${height} ${index}`}
        empty="No transaction has to do with it."
        columns={[
          { name: 'Block', isNumber: true, cell: ({ height }) => <BlockLink height={height} /> },
          { name: 'Transaction', cell: ({ txid }) => <TxLink txid={txid} /> },
          { name: 'Received', isNumber: true, cell: ({ received }) => amount(received) },
          { name: 'Spent', isNumber: true, cell: ({ spent }) => amount(spent) },
        ]}
      />
    </Card>
  );
}

function BlockLink({ height }: { height: number }): JSX.Element {
  return (
    <To page="block" about={height}>
      {whole(height)}
    </To>
  );
}
