import type { JSX } from 'preact';
import type { Trace } from '../../src/client/types.js';
import { whole } from '../data/format.js';
import { Card, Pill } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { Changes } from './changes.js';

/** What another run of a transaction told. */
export function Rerun({ run: { changes, steps, stepTotal } }: { run: NonNullable<Trace['run']> }): JSX.Element {
  const rows = steps.map((step, at) => ({ ...step, at }));
  return (
    <>
      <Card title="What it changed">
        <Changes {...changes} />
      </Card>
      <Card
        title="Host calls"
        aside={
          stepTotal > steps.length ? (
            <span class="quiet">
              the first {whole(steps.length)} of {whole(stepTotal)}
            </span>
          ) : undefined
        }
      >
        <Table
          label="Calls of host functions"
          rows={rows}
          keyOf={({ at }) => at}
          empty="It called no host function."
          columns={[
            { name: '#', isNumber: true, cell: ({ at }) => whole(at + 1) },
            { name: 'Frame', isNumber: true, cell: ({ frame }) => whole(frame) },
            { name: 'Call', cell: ({ call, depth }) => <code>{`${'· '.repeat(Math.min(depth, 16))}${call}`}</code> },
            {
              name: 'Given',
              cell: ({ given }) => (
                <code class="wrap">
                  {Object.entries(given)
                    .map(([name, value]) => `${name}=${value}`)
                    .join(' ')}
                </code>
              ),
            },
            {
              name: 'Result',
              cell: ({ result, stop }) =>
                stop === null ? <code class="wrap">{result ?? ''}</code> : <Pill tone="bad">{stop}</Pill>,
            },
            { name: 'Fuel left', isNumber: true, cell: ({ fuel }) => whole(fuel) },
            { name: 'Used', isNumber: true, cell: ({ fuelUsed }) => whole(fuelUsed) },
          ]}
        />
      </Card>
    </>
  );
}
