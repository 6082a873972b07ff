import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import type { Plan, Roots } from '../../src/client/types.js';
import { useChain } from '../data/chain.js';
import { count, whole, withoutPrefix } from '../data/format.js';
import { type Graph, indexed } from '../data/graph.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { GraphCards } from '../graph/picture.js';
import { pathTo } from '../route.js';
import { DownloadButton } from '../ui/download.js';
import { Card, Facts, Figure, Hash, Notice, Pill, Shown } from '../ui/parts.js';
import { executorParts, Shares } from '../ui/shares.js';
import { Transactions } from './block-transactions.js';

interface Block {
  readonly roots: Roots;
  readonly plan: Plan;
  readonly graph: Graph;
}

async function loadBlock(about: string): Promise<Block> {
  const [roots, plan, graph] = await Promise.all([
    rpc.call('warpshrew_getroots', about),
    rpc.call('warpshrew_getplan', about),
    rpc.call('warpshrew_getgraph', about),
  ]);
  return { roots, plan, graph: indexed(graph) };
}

export function BlockPage({ about }: { about: string }): JSX.Element {
  const { tip, undone, undoings } = useChain();
  const height = Number(about);
  // What was asked for before the block came, also the one in place of an undone one, is asked for again.
  const isToCome = tip !== undefined && tip < height;
  const block = useLoad(about, () => loadBlock(about), 2 * undoings + Number(isToCome));
  const isAnother = useAnother(about, block.value?.roots.hash);
  return (
    <>
      <div class="title-row">
        <h1>Block {Number.isNaN(height) ? about : whole(height)}</h1>
        <nav class="steps" aria-label="Neighbouring blocks">
          {height > 0 && <a href={pathTo('block', height - 1)}>← previous</a>}
          {tip !== undefined && height < tip && <a href={pathTo('block', height + 1)}>next →</a>}
        </nav>
      </div>
      {(isAnother || (undone !== undefined && undone.height < height)) && (
        <Notice tone="warn">
          A reorganisation undid the block that was at this height. This is the chain as it is now.
        </Notice>
      )}
      <Shown loaded={block}>{(value) => <BlockShown {...value} />}</Shown>
    </>
  );
}

/** Whether `hash` is not that of the block which was shown first as `about`. */
function useAnother(about: string, hash: string | undefined): boolean {
  const first = useRef({ about, hash });
  if (first.current.about !== about || first.current.hash === undefined) first.current = { about, hash };
  return hash !== undefined && hash !== first.current.hash;
}

function BlockShown({ roots, plan, graph }: Block): JSX.Element {
  return (
    <>
      <p class="sub">
        <Hash text={withoutPrefix(roots.hash)} whole />
      </p>
      <PlanFigures plan={plan} />
      {!graph.complete && (
        <Notice>
          Not everything is listed: {count(graph.nodes.length, 'transaction')} of {whole(graph.laneTxs)}, and{' '}
          {whole(graph.edges.length)} of {count(graph.edgeTotal, 'edge')}. Receipts of transactions that touch many keys
          list the first of them only.
        </Notice>
      )}
      <div class="columns">
        <Card title="What ran them">
          <Shares label="What ran the transactions of the block" parts={executorParts(graph.executors)} />
        </Card>
        <Card
          title="Roots after the block"
          aside={<DownloadButton name={`roots-${roots.height}.json`} label="Download" make={async () => roots} />}
        >
          <Facts
            facts={(
              [
                ['State', roots.stateRoot],
                ['Standard module', roots.standardRoot],
                ['Parallel lane', roots.laneRoot],
              ] as const
            ).map(([name, root]) => [
              name,
              root === null ? <span class="quiet">none: it was stored with later blocks</span> : <Hash text={root} />,
            ])}
          />
        </Card>
      </div>
      {graph.nodes.length > 0 && <GraphCards graph={graph} />}
      <Transactions graph={graph} />
    </>
  );
}

function PlanFigures({ plan }: { plan: Plan }): JSX.Element {
  const { laneTxs, edges, colours, widths, longestChain, dsatur, predicted, mispredicted, demoted, source } = plan;
  const widest = widths.reduce((most, width) => Math.max(most, width), 0);
  return (
    <>
      <div class="figures">
        <Figure name="Lane transactions">{whole(laneTxs)}</Figure>
        <Figure name="Batches" note={colours === 0 ? undefined : `the widest has ${whole(widest)}`}>
          {whole(colours)}
        </Figure>
        <Figure name="Conflicts" note="edges of the graph">
          {whole(edges)}
        </Figure>
        <Figure name="Longest chain" note={`DSATUR finds ${whole(dsatur)}`}>
          {whole(longestChain)}
        </Figure>
        <Figure name="Predicted" note={`${whole(mispredicted)} wrong`}>
          {whole(predicted)}
        </Figure>
        <Figure name="Demoted" note="spend outputs of the block">
          {whole(demoted)}
        </Figure>
      </div>
      {source === 'receipts' && laneTxs > 0 && (
        <p class="sub">
          <Pill>in turn</Pill> This block ran one transaction after the other: batches are those that it would have had.
        </p>
      )}
    </>
  );
}
