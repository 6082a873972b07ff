import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { GraphNode } from '../../src/client/types.js';
import { count, whole } from '../data/format.js';
import { type Graph, notesOf } from '../data/graph.js';
import { Card, ContractLink, Pill, StatusPill, TxLink } from '../ui/parts.js';
import { EXECUTOR_NAMES } from '../ui/shares.js';
import { type Column, Table } from '../ui/table.js';

const ALL = 'all';

const COLUMNS: readonly Column<GraphNode>[] = [
  { name: '#', isNumber: true, by: ({ index }) => index, cell: ({ index }) => whole(index) },
  { name: 'Transaction', cell: ({ txid }) => <TxLink txid={txid} /> },
  { name: 'Status', by: ({ status }) => status, cell: ({ status }) => <StatusPill status={status} /> },
  {
    name: 'Contract',
    by: ({ target }) => target ?? '',
    cell: ({ target }) => (target === null ? '–' : <ContractLink id={target} />),
  },
  {
    name: 'Batch',
    isNumber: true,
    by: ({ colour }) => colour,
    cell: ({ colour }) => (colour === 0 ? '–' : whole(colour)),
  },
  { name: 'Ran on', by: ({ executor }) => executor, cell: ({ executor }) => EXECUTOR_NAMES[executor] },
  { name: 'Fuel', isNumber: true, by: ({ fuel }) => fuel, cell: ({ fuel }) => whole(fuel) },
  {
    name: 'Notes',
    cell: (node) =>
      notesOf(node).map((note) => (
        <Pill key={note} tone={note === 'predicted' ? 'plain' : 'warn'}>
          {note}
        </Pill>
      )),
  },
];

/** The lane transactions of a block, by what ran them, how they ended, and their batch. */
export function Transactions({ graph }: { graph: Graph }): JSX.Element {
  const [executor, setExecutor] = useState(ALL);
  const [status, setStatus] = useState(ALL);
  const [colour, setColour] = useState('');
  const { nodes } = graph;
  const rows = nodes.filter(
    (node) =>
      (executor === ALL || node.executor === executor) &&
      (status === ALL || node.status === status) &&
      (colour === '' || node.colour === Number(colour)),
  );
  const statuses = [...new Set(nodes.map((node) => node.status))].sort();
  const filters = (
    <div class="filters">
      <label>
        Ran on{' '}
        <select value={executor} onChange={(event) => setExecutor(event.currentTarget.value)}>
          <option value={ALL}>anything</option>
          {Object.entries(EXECUTOR_NAMES).map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        Status{' '}
        <select value={status} onChange={(event) => setStatus(event.currentTarget.value)}>
          <option value={ALL}>any</option>
          {statuses.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      <label>
        Batch{' '}
        <input
          type="number"
          min={0}
          max={graph.colours}
          placeholder="any"
          value={colour}
          onInput={(event) => setColour(event.currentTarget.value)}
        />
      </label>
    </div>
  );
  return (
    <Card title="Transactions of the parallel lane" aside={nodes.length > 1 ? filters : undefined}>
      {rows.length < nodes.length && (
        <p class="sub">
          {count(rows.length, 'transaction')} of {whole(nodes.length)}
        </p>
      )}
      <Table
        label="Lane transactions of the block"
        rows={rows}
        keyOf={({ txid }) => txid}
        columns={COLUMNS}
        empty={nodes.length === 0 ? 'The block has no transaction of the parallel lane.' : 'None is like that.'}
      />
    </Card>
  );
}
