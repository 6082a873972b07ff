import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type ChainBlock, type ChainView, useChain } from '../data/chain.js';
import { brief, bytes, count, duration, share, short, whole } from '../data/format.js';
import { useLoad } from '../data/load.js';
import { fetchStatus, type Status } from '../data/status.js';
import { Chart } from '../ui/chart.js';
import { Card, Facts, Figure, Hash, Notice, Pill, Shown, To, type Tone } from '../ui/parts.js';
import { executorParts, Shares } from '../ui/shares.js';
import { Table } from '../ui/table.js';

const POLL_MS = 3_000;

const PHASES: Readonly<Record<string, readonly [string, Tone]>> = {
  starting: ['starting', 'plain'],
  syncing: ['syncing', 'accent'],
  'at-tip': ['at the tip', 'good'],
  'node-behind': ['node behind', 'warn'],
  'waiting-for-node': ['waiting for the node', 'warn'],
  'rolling-back': ['rolling back', 'warn'],
  stopped: ['stopped', 'plain'],
  failed: ['failed', 'bad'],
  serving: ['serving, not indexing', 'plain'],
};

export function StatusPage(): JSX.Element {
  const chain = useChain();
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setVersion((before) => before + 1);
    }, POLL_MS);
    return () => clearInterval(timer);
  }, []);
  const status = useLoad('status', fetchStatus, version);
  return (
    <>
      <Shown loaded={status}>
        {(value) => (
          <>
            <Head status={value} chain={chain} />
            <Problems status={value} />
          </>
        )}
      </Shown>
      {chain.undone !== undefined && (
        <Notice tone="warn">
          The chain was reorganised at height {whole(chain.undone.height)}: {count(chain.undone.blocks, 'block')}{' '}
          undone.
        </Notice>
      )}
      <div class="columns">
        <Card title="Blocks a second" aside={<span class="quiet">the last two minutes</span>}>
          <Chart
            label="Blocks indexed in each of the last 120 seconds"
            x={chain.speed.map((_, at) => at - chain.speed.length + 1)}
            series={[{ name: 'blocks', colour: '--accent', kind: 'area', values: chain.speed }]}
            xText={(x) => (x === 0 ? 'now' : `${-x} s ago`)}
          />
        </Card>
        <Card title="Lane transactions of the newest blocks">
          <LaneChart blocks={chain.blocks} />
        </Card>
      </div>
      <Blocks blocks={chain.blocks} />
      <Shown loaded={status}>{(value) => <Details status={value} />}</Shown>
    </>
  );
}

function Head({ status, chain }: { status: Status; chain: ChainView }): JSX.Element {
  const { phase, source, tip, speed, block, lane } = status;
  const [words, tone] = PHASES[phase] ?? [phase, 'plain'];
  const height = chain.tip ?? tip?.height;
  const behind = source?.height == null || height === undefined ? undefined : Math.max(0, source.height - height);
  return (
    <>
      <div class="title-row">
        <h1>{status.label ?? `${status.network} index`}</h1>
        <Pill tone={tone}>{words}</Pill>
        <Pill>{status.network}</Pill>
      </div>
      <div class="figures">
        <Figure
          name="Height"
          note={behind === undefined ? undefined : behind === 0 ? 'nothing behind' : `${whole(behind)} behind`}
        >
          {height === undefined ? '–' : whole(height)}
        </Figure>
        {speed !== undefined && (
          <Figure name="Speed" note={`${bytes(speed.bytesPerSecond)}/s`}>
            {speed.blocksPerSecond < 10 ? speed.blocksPerSecond.toFixed(1) : whole(speed.blocksPerSecond)}
            <small> blocks/s</small>
          </Figure>
        )}
        {lane !== undefined && (
          <Figure name="Lane transactions" note="since the start">
            {short(lane.txs)}
          </Figure>
        )}
        {lane !== undefined && (
          <Figure name="In the GPU" note={`${whole(lane.executors.gpu)} of them`}>
            {share(lane.executors.gpu, lane.txs)}
          </Figure>
        )}
        <Figure name="Database" note={status.store.folder}>
          {bytes(status.store.bytes)}
        </Figure>
        <Figure name="Running for" note={`${bytes(status.memory.rss)} of memory`}>
          {duration(status.sinceStart.seconds)}
        </Figure>
        {block != null && (
          <Figure name="Under way" note="block">
            {whole(block.height)}
          </Figure>
        )}
      </div>
    </>
  );
}

function Problems({ status: { failure, trouble } }: { status: Status }): JSX.Element {
  return (
    <>
      {failure != null && (
        <Notice tone="bad">
          <strong>Indexing has stopped: {failure.message}.</strong> {failure.hint} <code>{failure.code}</code>
        </Notice>
      )}
      {trouble != null && (
        <Notice tone="warn">
          <strong>Being retried: {trouble.message}.</strong> {trouble.hint} <code>{trouble.code}</code>
        </Notice>
      )}
    </>
  );
}

function LaneChart({ blocks }: { blocks: readonly ChainBlock[] }): JSX.Element {
  const ascending = [...blocks].reverse();
  return (
    <Chart
      label="Lane transactions of each of the newest blocks"
      x={ascending.map(({ height }) => height)}
      series={[
        { name: 'transactions', colour: '--accent', kind: 'bars', values: ascending.map((each) => each.receipts) },
      ]}
      xText={(x) => (Number.isInteger(x) ? String(x) : '')}
    />
  );
}

function Blocks({ blocks }: { blocks: readonly ChainBlock[] }): JSX.Element {
  return (
    <Card title="Newest blocks">
      <Table
        label="The newest blocks"
        rows={blocks}
        keyOf={({ hash }) => hash}
        empty="Nothing is indexed yet."
        columns={[
          {
            name: 'Height',
            isNumber: true,
            cell: ({ height }) => (
              <To page="block" about={height}>
                {whole(height)}
              </To>
            ),
          },
          { name: 'Hash', cell: ({ hash }) => <Hash text={hash} /> },
          { name: 'Lane transactions', isNumber: true, cell: ({ receipts }) => whole(receipts) },
          {
            name: 'State root',
            cell: ({ stateRoot }) =>
              stateRoot === null ? <span class="quiet">none</span> : <code>{brief(stateRoot)}</code>,
          },
        ]}
      />
    </Card>
  );
}

function Details({ status }: { status: Status }): JSX.Element {
  const { lane, sinceStart, engine, source } = status;
  return (
    <div class="columns">
      {lane !== undefined && (
        <Card title="What ran the transactions" aside={<span class="quiet">since the start</span>}>
          <Shares label="What ran the transactions since the start" parts={executorParts(lane.executors)} />
          <Facts
            facts={[
              ['Predicted', `${whole(lane.predicted)}, ${whole(lane.mispredicted)} of them wrong`],
              ['Repaired', whole(lane.repaired)],
              ['Demoted', whole(lane.demoted)],
              ['Punted by the kernel', whole(lane.punted)],
            ]}
          />
        </Card>
      )}
      {lane !== undefined && (
        <Card title="Where the time goes" aside={<span class="quiet">phases of both lanes overlap</span>}>
          <Phases phaseMs={lane.phaseMs} />
        </Card>
      )}
      <Card title="Server">
        <Facts
          facts={[
            ['Version', status.version],
            ['Node.js', status.node],
            ...(source === undefined
              ? []
              : ([
                  [
                    'Source',
                    <span key="s" class="wrap">
                      {source.name}
                    </span>,
                  ],
                ] as const)),
            ...(engine === undefined
              ? []
              : ([
                  ['Policy', engine.policy],
                  ['GPU', engine.adapter ?? engine.gpu],
                ] as const)),
            ...(sinceStart.reorgs === undefined
              ? []
              : ([
                  ['Blocks indexed', whole(sinceStart.blocks ?? 0)],
                  [
                    'Reorganisations',
                    `${whole(sinceStart.reorgs)}, ${count(sinceStart.blocksUndone ?? 0, 'block')} undone`,
                  ],
                ] as const)),
            ['Views running', whole((status.threads.views?.running ?? 0) + status.threads.laneViews.running)],
          ]}
        />
      </Card>
    </div>
  );
}

function Phases({ phaseMs }: { phaseMs: Readonly<Record<string, number>> }): JSX.Element {
  const phases = Object.entries(phaseMs)
    .filter(([, ms]) => ms > 0)
    .sort(([, a], [, b]) => b - a);
  const most = phases[0]?.[1] ?? 1;
  if (phases.length === 0) return <p class="empty">No block has been indexed since the start.</p>;
  return (
    <ul class="bars">
      {phases.map(([phase, ms]) => (
        <li key={phase}>
          <span>{phase}</span>
          <span class="bar" aria-hidden="true">
            <i style={{ width: `${(100 * ms) / most}%` }} />
          </span>
          <span class="number">{duration(ms / 1000)}</span>
        </li>
      ))}
    </ul>
  );
}
