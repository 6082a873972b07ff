import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RpcFailure } from '../../src/client/client.js';
import { REASON_WORDS } from '../../src/client/run-reasons.js';
import type { Trace, TransactionPlace } from '../../src/client/types.js';
import { useChain } from '../data/chain.js';
import { count, whole } from '../data/format.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { KeyText } from '../ui/key-text.js';
import { Card, Facts, Failed, Hash, Notice, Pill, Shown, StatusPill, To, TxLink } from '../ui/parts.js';
import { EXECUTOR_NAMES } from '../ui/shares.js';
import { Table } from '../ui/table.js';
import { Assets } from './transaction-assets.js';
import { Messages } from './transaction-messages.js';
import { Rerun } from './transaction-run.js';

export function TransactionPage({ txid }: { txid: string }): JSX.Element {
  const { undoings } = useChain();
  const found = useLoad(txid, () => find(txid), undoings);
  return (
    <>
      <h1>Transaction</h1>
      <p class="sub">
        <Hash text={txid} whole />
      </p>
      <Shown loaded={found}>
        {(value) => ('messages' in value ? <TraceShown trace={value} /> : <PlaceShown place={value} />)}
      </Shown>
    </>
  );
}

/** Of a transaction that the lane has nothing to do with an index by address knows where it stands. */
async function find(txid: string): Promise<Trace | TransactionPlace> {
  try {
    return await rpc.call('warpshrew_trace', txid);
  } catch (error) {
    const isPlain = error instanceof RpcFailure && error.code === 'RECEIPT_NOT_FOUND';
    const place = isPlain ? await rpc.call('warpshrew_gettransaction', txid) : null;
    if (place === null) throw error;
    return place;
  }
}

function PlaceShown({ place }: { place: TransactionPlace }): JSX.Element {
  return (
    <>
      <Notice>It is no transaction of the lane: it called no contract, and moved no assets of it.</Notice>
      <Card title="What it is">
        <Facts
          facts={[
            ['Block', <Place key="b" height={place.height} index={place.index} />],
            ['Confirmations', whole(place.confirmations)],
          ]}
        />
      </Card>
    </>
  );
}

function Place({ height, index }: { height: number; index: number }): JSX.Element {
  return (
    <>
      <To page="block" about={height}>
        {whole(height)}
      </To>
      , transaction {whole(index)}
    </>
  );
}

function TraceShown({ trace }: { trace: Trace }): JSX.Element {
  const { error, undone } = trace;
  return (
    <>
      {undone !== null && <Notice tone="bad">The whole transaction was undone: {undone}.</Notice>}
      {undone === null && error !== null && <Notice tone="bad">It did not succeed: {error}.</Notice>}
      <div class="columns">
        <Card title="What it is">
          <Facts
            facts={[
              ['Status', <StatusPill key="s" status={trace.status} />],
              ['Block', <Place key="b" height={trace.height} index={trace.index} />],
              ['Fuel', whole(trace.fuel)],
              ['Batch', trace.colour === 0 ? 'none: it ran in turn' : whole(trace.colour)],
              ['Ran on', <span key="r">{ranOn(trace)}</span>],
            ]}
          />
        </Card>
        <Card title="What it waited for">
          <Waits waits={trace.waits} />
        </Card>
      </div>
      <Messages trace={trace} />
      <Assets trace={trace} />
      <div class="columns">
        <Keys title="Reads" keys={trace.reads} total={trace.readTotal} />
        <Keys title="Writes" keys={trace.writes} total={trace.writeTotal} />
      </div>
      <RunAgain txid={trace.txid} />
    </>
  );
}

function ranOn({ executor, repaired, predicted, mispredicted, reason }: Trace): ComponentChildren {
  return (
    <>
      {EXECUTOR_NAMES[executor]} {repaired && <Pill tone="warn">repaired</Pill>}
      {predicted && (
        <Pill tone={mispredicted ? 'warn' : 'plain'}>{mispredicted ? 'wrongly predicted' : 'predicted'}</Pill>
      )}
      {reason !== null && <div class="quiet">since {REASON_WORDS[reason]}</div>}
    </>
  );
}

function Waits({ waits: { after, afterTotal, complete } }: { waits: Trace['waits'] }): JSX.Element {
  return (
    <>
      {after.length === 0 && <p class="empty">No earlier transaction of the block touched the same keys.</p>}
      <ul class="waits">
        {after.map(({ index, txid, spends, keys, keyTotal }) => (
          <li key={txid}>
            #{whole(index)} <TxLink txid={txid} />
            {spends && ', of which it spends an output'}
            {keys.slice(0, 3).map(({ key, earlier, later }) => (
              <div key={key} class="quiet">
                which {earlier} what this {later}: <KeyText hex={key} />
              </div>
            ))}
            {keyTotal > 3 && <div class="quiet">and {count(keyTotal - 3, 'more key')}</div>}
          </li>
        ))}
      </ul>
      {afterTotal > after.length && <p class="quiet">and {whole(afterTotal - after.length)} more</p>}
      {!complete && <p class="quiet">Receipts leave keys out: there may be more.</p>}
    </>
  );
}

function Keys({ title, keys, total }: { title: string; keys: readonly string[]; total: number }): JSX.Element {
  return (
    <Card title={title} aside={<span class="quiet">{count(total, 'key')}</span>}>
      <Table
        label={`${title} of the transaction`}
        rows={keys}
        most={20}
        keyOf={(key) => key}
        columns={[{ name: 'Key', cell: (key) => <KeyText hex={key} /> }]}
        empty="None."
      />
      {total > keys.length && <p class="quiet">The receipt lists the first {whole(keys.length)} of them.</p>}
    </Card>
  );
}

/** Runs it once more on the state that it had: for its host calls, its data, and what it changed. */
function RunAgain({ txid }: { txid: string }): JSX.Element {
  const [run, setRun] = useState<Trace['run']>(null);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setRun((await rpc.call('warpshrew_trace', txid, { steps: true })).run);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  if (run !== null) return <Rerun run={run} />;
  return (
    <Card
      title="What it changed, step by step"
      aside={
        <button type="button" disabled={isBusy} onClick={() => void ask()}>
          {isBusy ? 'Running …' : 'Run it again'}
        </button>
      }
    >
      <p class="quiet">The server can run it once more on the state that it had, if it has the bytes of the block.</p>
      {error !== undefined && <Failed error={error} />}
    </Card>
  );
}
