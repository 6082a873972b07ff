import type { JSX } from 'preact';
import type { Trace } from '../../src/client/types.js';
import { amount, brief } from '../data/format.js';
import { decodeKey } from '../data/keys.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { Card, ContractLink, OutputLink, Shown, To } from '../ui/parts.js';
import { Table } from '../ui/table.js';

/** Outputs that are looked up on each side. */
const MOST = 16;

interface Moved {
  readonly outpoint: string;
  readonly asset: string;
  readonly amount: string;
  /** Whose it is; null where no index tells. */
  readonly scriptHash: string | null;
}

/** The outputs with assets that it spent and made, as its reads and writes name them. */
export function Assets({ trace }: { trace: Trace }): JSX.Element {
  const spent = outpointsOf(trace.reads).slice(0, MOST);
  const made = outpointsOf(trace.writes)
    .filter((outpoint) => outpoint.startsWith(trace.txid))
    .slice(0, MOST);
  const moved = useLoad(trace.txid, async () => ({ spent: await sheetsOf(spent), made: await sheetsOf(made) }));
  return (
    <div class="columns">
      <Card title="Assets in">
        <Shown loaded={moved}>
          {(value) => <Side label="Assets of the outputs that it spends" owner="From" rows={value.spent} />}
        </Shown>
      </Card>
      <Card title="Assets out">
        <Shown loaded={moved}>{(value) => <Side label="Assets of its outputs" owner="To" rows={value.made} />}</Shown>
      </Card>
    </div>
  );
}

function outpointsOf(keys: readonly string[]): string[] {
  return keys.flatMap((hex) => {
    const key = decodeKey(hex);
    return key.kind === 'sheet' ? [key.outpoint] : [];
  });
}

async function sheetsOf(outpoints: readonly string[]): Promise<Moved[]> {
  const fates = await rpc.batch(
    outpoints.map((outpoint) => ({ method: 'warpshrew_getoutpoint' as const, params: [outpoint] as [string] })),
  );
  return fates.flatMap((fate, at) => {
    if (fate instanceof Error) throw fate;
    const { sheet, scriptHash } = fate;
    return Object.entries(sheet ?? {}).map(([asset, of]) => ({
      outpoint: outpoints[at],
      asset,
      amount: of,
      scriptHash,
    }));
  });
}

interface SideProps {
  readonly label: string;
  /** What the column of whose they are is called. */
  readonly owner: string;
  readonly rows: readonly Moved[];
}

function Side({ label, owner, rows }: SideProps): JSX.Element {
  const ofOwner = {
    name: owner,
    cell: ({ scriptHash }: Moved) =>
      scriptHash === null ? (
        '–'
      ) : (
        <To page="address" about={scriptHash} title={scriptHash}>
          <code>{brief(scriptHash)}</code>
        </To>
      ),
  };
  const isKnown = rows.some(({ scriptHash }) => scriptHash !== null);
  return (
    <Table
      label={label}
      rows={rows}
      keyOf={({ outpoint, asset }) => `${outpoint} ${asset}`}
      empty="None."
      columns={[
        { name: 'Output', cell: ({ outpoint }) => <OutputLink outpoint={outpoint} /> },
        ...(isKnown ? [ofOwner] : []),
        { name: 'Asset', cell: ({ asset }) => <ContractLink id={asset} /> },
        { name: 'Amount', isNumber: true, cell: (row) => amount(row.amount) },
      ]}
    />
  );
}
