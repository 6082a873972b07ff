import type { JSX } from 'preact';
import { useChain } from '../data/chain.js';
import { amount, brief, bytes, whole, withoutPrefix } from '../data/format.js';
import { historyOf } from '../data/history.js';
import { ownText, storageKeyHex } from '../data/keys.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { Chart } from '../ui/chart.js';
import { Data } from '../ui/data.js';
import { DownloadButton } from '../ui/download.js';
import { Pages } from '../ui/pages.js';
import { Card, ContractLink, Facts, Hash, OutputLink, Shown, StatusPill, To, TxLink } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { Conflicts } from './conflicts.js';
import { Simulate } from './simulate.js';

export function ContractPage({ id }: { id: string }): JSX.Element {
  const { undoings } = useChain();
  const listed = useLoad(id, async () => (await rpc.call('warpshrew_listcontracts', { id })).items, undoings);
  return (
    <>
      <h1>
        Contract <span class="mono">{id}</span>
      </h1>
      <Shown loaded={listed}>
        {([contract]) => (
          <>
            {contract === undefined ? (
              <p class="sub">There is no contract with this id; it may be an asset all the same.</p>
            ) : (
              <Card title="What it is">
                <Facts
                  facts={[
                    ['Code', <Hash key="c" text={contract.codeHash} whole />],
                    [
                      'The same code',
                      <To key="s" page="contracts" about={contract.codeHash}>
                        all contracts that run it
                      </To>,
                    ],
                    ['Clone of', contract.cloneOf === null ? 'none' : <ContractLink key="o" id={contract.cloneOf} />],
                    ['Created in', <To key="b" page="block" about={contract.height} />],
                    ['Created by', contract.txid === null ? 'not known' : <TxLink key="t" txid={contract.txid} />],
                  ]}
                />
              </Card>
            )}
            {contract !== undefined && <Simulate id={id} />}
          </>
        )}
      </Shown>
      <Conflicts id={id} />
      <Calls id={id} />
      <Card title="Storage">
        <Storage id={id} />
      </Card>
      <div class="columns">
        <Card title="What it holds">
          <Pages
            label="Assets that the contract holds"
            of={id}
            load={(cursor) => rpc.call('warpshrew_listbalances', id, { cursor: cursor ?? null })}
            keyOf={({ asset }) => asset}
            empty="It holds no assets."
            columns={[
              { name: 'Asset', cell: ({ asset }) => <ContractLink id={asset} /> },
              { name: 'Amount', isNumber: true, cell: (row) => amount(row.amount) },
            ]}
          />
        </Card>
        <Card title="Who holds its asset">
          <Pages
            label="Holders of the asset"
            of={id}
            load={(cursor) => rpc.call('warpshrew_listholders', id, { cursor: cursor ?? null })}
            keyOf={({ contract, outpoint }) => contract ?? outpoint ?? ''}
            empty="Nobody holds an asset with this id."
            columns={[
              {
                name: 'Holder',
                cell: ({ contract, outpoint }) =>
                  contract !== null ? (
                    <ContractLink id={contract} />
                  ) : outpoint !== null ? (
                    <OutputLink outpoint={outpoint} />
                  ) : (
                    '–'
                  ),
              },
              { name: 'Amount', isNumber: true, cell: (row) => amount(row.amount) },
            ]}
          />
        </Card>
      </div>
    </>
  );
}

function Storage({ id }: { id: string }): JSX.Element {
  return (
    <Pages
      label="Storage of the contract"
      of={id}
      load={(cursor) => rpc.call('warpshrew_liststorage', id, { cursor: cursor ?? null })}
      keyOf={({ key }) => key}
      empty="It stores nothing."
      columns={[
        { name: 'Key', cell: ({ key }) => <code title={key}>{brief(ownText(withoutPrefix(key)), 28)}</code> },
        { name: 'Value', cell: ({ value, bytes: of }) => <Data hex={withoutPrefix(value)} bytes={of} /> },
        { name: 'Bytes', isNumber: true, cell: (row) => bytes(row.bytes) },
        { name: 'Written in', isNumber: true, cell: ({ height }) => <To page="block" about={height} /> },
        {
          name: 'Proof',
          cell: ({ key }) => (
            <DownloadButton
              name={`proof-${id.replace(':', '-')}-${withoutPrefix(key).slice(0, 16)}.json`}
              label="Download"
              make={() => rpc.call('warpshrew_getproof', 'P', storageKeyHex(id, withoutPrefix(key)))}
            />
          ),
        },
      ]}
    />
  );
}

/** Receipts of a contract that are listed. */
const LISTED = 100;

function Calls({ id }: { id: string }): JSX.Element {
  const { undoings } = useChain();
  const history = useLoad(id, () => historyOf(id), undoings);
  return (
    <Shown loaded={history}>
      {({ blocks, receipts, complete }) => {
        const x = blocks.map(({ height }) => height);
        const looked = blocks.filter(({ conflicts }) => conflicts !== undefined);
        const xText = (height: number): string => (Number.isInteger(height) ? whole(height) : '');
        return (
          <>
            <div class="columns">
              <Card
                title="Calls by block"
                aside={<span class="quiet">{complete ? 'all' : 'the newest'}, those that failed in red</span>}
              >
                <Chart
                  label="Transactions that called the contract, by block"
                  x={x}
                  series={[
                    {
                      name: 'all',
                      colour: '--accent',
                      kind: 'bars',
                      values: blocks.map(({ ok, failed }) => ok + failed),
                    },
                    { name: 'failed', colour: '--bad', kind: 'bars', values: blocks.map(({ failed }) => failed) },
                  ]}
                  xText={xText}
                />
              </Card>
              <Card
                title="Conflicts on its keys"
                aside={<span class="quiet">edges, in the newest {looked.length} blocks with calls</span>}
              >
                <Chart
                  label="Edges of the conflict graph on keys of the contract, by block"
                  x={looked.map(({ height }) => height)}
                  series={[
                    {
                      name: 'edges',
                      colour: '--run-sequential',
                      kind: 'bars',
                      values: looked.map(({ conflicts = 0 }) => conflicts),
                    },
                  ]}
                  xText={xText}
                />
              </Card>
            </div>
            <Card title="Newest transactions">
              <Table
                label="The newest transactions that call the contract"
                rows={receipts.slice(0, LISTED)}
                most={20}
                keyOf={({ txid }) => txid}
                empty="No transaction has called it."
                columns={[
                  { name: 'Block', isNumber: true, cell: ({ height }) => <To page="block" about={height} /> },
                  { name: 'Transaction', cell: ({ txid }) => <TxLink txid={txid} /> },
                  { name: 'Status', cell: ({ status }) => <StatusPill status={status} /> },
                  { name: 'Fuel', isNumber: true, by: ({ fuel }) => fuel, cell: ({ fuel }) => whole(fuel) },
                  { name: 'Why', cell: ({ error }) => <span class="quiet">{error ?? ''}</span> },
                ]}
              />
            </Card>
          </>
        );
      }}
    </Shown>
  );
}
