import type { JSX } from 'preact';
import { useChain } from '../data/chain.js';
import { amount, brief } from '../data/format.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { Card, ContractLink, Empty, Facts, Hash, Notice, Shown, To, TxLink } from '../ui/parts.js';
import { Table } from '../ui/table.js';

export function OutputPage({ outpoint }: { outpoint: string }): JSX.Element {
  const { undoings } = useChain();
  const fate = useLoad(outpoint, () => rpc.call('warpshrew_getoutpoint', outpoint), undoings);
  const [txid] = outpoint.split(':');
  return (
    <>
      <h1>Output</h1>
      <p class="sub">
        <Hash text={outpoint} whole />
      </p>
      <Shown loaded={fate}>
        {({ sheet, height, spentHeight, spentBy, scriptHash, amount: satoshis }) => (
          <>
            {height === null && <Notice>No transaction is known to have made this output.</Notice>}
            <Card title="What became of it">
              <Facts
                facts={[
                  ['Transaction', <TxLink key="tx" txid={txid} />],
                  ['Block', height === null ? 'not known' : <To key="b" page="block" about={height} />],
                  ['Spent in', spentHeight === null ? 'not spent' : <To key="s" page="block" about={spentHeight} />],
                  ['Spent by', spentBy === null ? '–' : <TxLink key="by" txid={spentBy} />],
                  ...(scriptHash === null
                    ? []
                    : ([
                        [
                          'Pays to',
                          <To key="to" page="address" about={scriptHash} title={scriptHash}>
                            <code>{brief(scriptHash)}</code>
                          </To>,
                        ],
                        ['Satoshis', amount(satoshis ?? '0')],
                      ] as const)),
                ]}
              />
            </Card>
            <Card title="Assets">
              {sheet === null ? (
                <Empty>It never had assets of the lane, or lost them in its own block.</Empty>
              ) : (
                <Table
                  label="Assets of the output"
                  rows={Object.entries(sheet)}
                  keyOf={([id]) => id}
                  columns={[
                    { name: 'Asset', cell: ([id]) => <ContractLink id={id} /> },
                    { name: 'Amount', isNumber: true, cell: ([, of]) => amount(of) },
                  ]}
                />
              )}
            </Card>
          </>
        )}
      </Shown>
    </>
  );
}
