import type { JSX } from 'preact';
import type { GraphEdge } from '../../src/client/types.js';
import { brief, count, whole } from '../data/format.js';
import { type Graph, notesOf } from '../data/graph.js';
import { keyLine } from '../data/keys.js';
import { pathTo } from '../route.js';
import { ContractLink, Pill, StatusPill } from '../ui/parts.js';
import { EXECUTOR_NAMES } from '../ui/shares.js';
import type { Focus } from './focus.js';

/** Edges that are told of one transaction. */
const TOLD = 6;

/** What is under the pointer, or picked: which key, and why it waited. */
export function Details({ graph, focus }: { graph: Graph; focus: Focus | undefined }): JSX.Element {
  return (
    <div class="graph-details" aria-live="polite">
      {focus === undefined ? <Hint /> : <About graph={graph} focus={focus} />}
    </div>
  );
}

function Hint(): JSX.Element {
  return (
    <p class="quiet">
      Point at a transaction or an edge to see which key it is about and why it waited. Click to keep it, drag and
      scroll to move. With the keyboard: the picture takes arrow keys.
    </p>
  );
}

function About({ graph, focus }: { graph: Graph; focus: Focus }): JSX.Element {
  switch (focus.kind) {
    case 'node':
      return <AboutNode graph={graph} at={focus.at} />;
    case 'edge':
      return <AboutEdge graph={graph} edge={graph.edges[focus.at]} />;
    case 'key':
      return <AboutKey graph={graph} at={focus.at} />;
    case 'note':
      return <p>Transactions that were {focus.note}.</p>;
    case 'longest':
      return (
        <p>
          The longest chain: {count(graph.longest.length, 'transaction')}, each of which waited for the one before. No
          order of batches can be shorter.
        </p>
      );
  }
}

function AboutNode({ graph, at }: { graph: Graph; at: number }): JSX.Element {
  const node = graph.nodes[at];
  const before = graph.before[at].map((edge) => graph.edges[edge]);
  return (
    <>
      <p class="graph-name">
        <strong>#{whole(node.index)}</strong>{' '}
        <a class="mono" href={pathTo('tx', node.txid)}>
          {brief(node.txid)}
        </a>{' '}
        <StatusPill status={node.status} />
      </p>
      <p>
        {node.target !== null && (
          <>
            calls <ContractLink id={node.target} />,{' '}
          </>
        )}
        {node.colour === 0 ? 'in no batch' : `batch ${whole(node.colour)}`}, {EXECUTOR_NAMES[node.executor]},{' '}
        {whole(node.fuel)} fuel
      </p>
      {notesOf(node).length > 0 && (
        <p>
          {notesOf(node).map((note) => (
            <Pill key={note} tone="warn">
              {note}
            </Pill>
          ))}
        </p>
      )}
      <h3>{before.length === 0 ? 'It waited for nobody' : 'What it follows'}</h3>
      <ul class="waits">
        {before.slice(0, TOLD).map((edge) => (
          <li key={edge.from}>
            <Why graph={graph} edge={edge} />
          </li>
        ))}
        {before.length > TOLD && <li class="quiet">and {whole(before.length - TOLD)} more</li>}
      </ul>
      {graph.after[at].length > 0 && (
        <p class="quiet">{count(graph.after[at].length, 'transaction')} directly behind it</p>
      )}
    </>
  );
}

/** Why the later transaction of an edge waited for the earlier one. */
function Why({ graph, edge }: { graph: Graph; edge: GraphEdge }): JSX.Element {
  const earlier = `#${whole(graph.nodes[edge.from].index)}`;
  if (edge.key === null) return <>spends an output of {earlier}, so it ran when all before it were final</>;
  const more = edge.keyTotal > 1 ? ` and ${count(edge.keyTotal - 1, 'more key')}` : '';
  const key = (
    <>
      <span class="wrap">{keyLine(graph.keys[edge.key].key)}</span>
      {more}
    </>
  );
  if (edge.waited) {
    return (
      <>
        waited for {earlier}: {key}
      </>
    );
  }
  const why = graph.nodes[edge.to].predicted ? 'the value was predicted' : 'its dry run did not touch this';
  return (
    <>
      did not wait for {earlier}, as {why}: {key}
    </>
  );
}

function AboutEdge({ graph, edge }: { graph: Graph; edge: GraphEdge }): JSX.Element {
  const { index, txid } = graph.nodes[edge.to];
  return (
    <p>
      <strong>#{whole(index)}</strong>{' '}
      <a class="mono" href={pathTo('tx', txid)}>
        {brief(txid)}
      </a>{' '}
      <Why graph={graph} edge={edge} />
    </p>
  );
}

function AboutKey({ graph, at }: { graph: Graph; at: number }): JSX.Element {
  const { key, readers, writers, edges } = graph.keys[at];
  return (
    <>
      <p class="wrap">
        <strong>{keyLine(key)}</strong>
      </p>
      <p>
        {count(readers, 'reader')}, {count(writers, 'writer')}, {count(edges, 'edge')}
      </p>
    </>
  );
}
