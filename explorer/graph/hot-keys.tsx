import type { JSX } from 'preact';
import { whole } from '../data/format.js';
import type { Graph } from '../data/graph.js';
import { KeyText } from '../ui/key-text.js';
import { Card } from '../ui/parts.js';
import { Table } from '../ui/table.js';
import { KEY_COLOURS } from './colours.js';
import type { Focus } from './focus.js';

interface HotKeysProps {
  readonly graph: Graph;
  readonly picked: Focus | undefined;
  readonly pick: (focus: Focus | undefined) => void;
}

/** The keys that transactions waited for. */
export function HotKeys({ graph, picked, pick }: HotKeysProps): JSX.Element {
  const rows = graph.keys.map((key, at) => ({ ...key, at }));
  const isPicked = (at: number): boolean => picked?.kind === 'key' && picked.at === at;
  return (
    <Card title="Hot keys" aside={<span class="quiet">those that make edges</span>}>
      <Table
        label="Keys that make edges of the conflict graph"
        rows={rows}
        most={12}
        keyOf={({ at }) => at}
        isMarked={({ at }) => isPicked(at)}
        empty="No two transactions of the block touched the same key."
        columns={[
          {
            name: 'Mark',
            cell: ({ at, edges }) => (
              <button
                type="button"
                class="swatch"
                aria-pressed={isPicked(at)}
                aria-label={`Mark the ${edges} edges of this key`}
                onClick={() => pick(isPicked(at) ? undefined : { kind: 'key', at })}
              >
                <i class={at < KEY_COLOURS ? `key-${at}` : 'key-rest'} />
              </button>
            ),
          },
          { name: 'Key', cell: ({ key }) => <KeyText hex={key} /> },
          { name: 'Edges', isNumber: true, by: ({ edges }) => edges, cell: ({ edges }) => whole(edges) },
          { name: 'Readers', isNumber: true, by: ({ readers }) => readers, cell: ({ readers }) => whole(readers) },
          { name: 'Writers', isNumber: true, by: ({ writers }) => writers, cell: ({ writers }) => whole(writers) },
        ]}
      />
    </Card>
  );
}
