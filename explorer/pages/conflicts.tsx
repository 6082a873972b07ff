import type { JSX } from 'preact';
import { type ResultOf, RpcFailure } from '../../src/client/client.js';
import { useChain } from '../data/chain.js';
import { bytes, count, share, whole } from '../data/format.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { KeyText } from '../ui/key-text.js';
import { Card, ContractLink, Empty, Facts, Notice, Pill, Shown, To } from '../ui/parts.js';
import { Table } from '../ui/table.js';

type ContractConflicts = ResultOf<'warpshrew_getconflicts'>;
type ConflictMethod = ContractConflicts['methods'][number];

/** Kinds of keys of a method that are drawn at once. */
const KEYS = 12;
const percent = (part: number): string => share(part, 1);

/** Which calls of the contract could have run together; nothing on a server that does not compare calls. */
export function Conflicts({ id }: { id: string }): JSX.Element | null {
  const { undoings } = useChain();
  const loaded = useLoad(id, () => rpc.call('warpshrew_getconflicts', id), undoings);
  const { value, error, isLoading } = loaded;
  // Most servers do not compare calls: nothing is drawn before it is known.
  const isUnknown = value === undefined && isLoading;
  if (isUnknown || (error instanceof RpcFailure && error.code === 'RPC_NOT_SUPPORTED')) return null;
  return (
    <Card title="Which calls can run together" aside={<span class="quiet">as if they stood in one block</span>}>
      <Shown loaded={loaded}>{(report) => <Report report={report} />}</Shown>
    </Card>
  );
}

function Report({ report }: { report: ContractConflicts }): JSX.Element {
  const { calls, parallel, expected, leftOut, demoted, methods, complete, from, to, predictedFrom } = report;
  if (from === null || to === null) return <Empty>Nothing has called it since it was created.</Empty>;
  const which = `${complete ? 'all' : 'the newest'} ${count(calls, 'call')}`;
  const smaller = expected.filter((each) => each.calls < calls);
  return (
    <>
      <Facts
        facts={[
          [
            'Compared',
            <>
              {which}, of blocks <To page="block" about={from} /> to <To page="block" about={to} />
            </>,
          ],
          [
            'Run at once',
            <>
              <strong>{percent(parallel)}</strong>
              {smaller.map((each) => `, ${percent(each.parallel)} of ${whole(each.calls)}`)}
            </>,
          ],
          ['End otherwise together', leftOut === 0 ? 'none' : `${count(leftOut, 'call')}, left out`],
          ['Spend what others of their block made', demoted === 0 ? 'none' : `${count(demoted, 'call')}, left out`],
        ]}
      />
      {calls < predictedFrom && (
        <p class="sub">
          Reads are predicted only of keys that {predictedFrom} calls touch: send more of them to see what waits in a
          large block.
        </p>
      )}
      {methods.map((method) => (
        <Method key={`${method.target} ${method.opcode}`} method={method} isFew={calls < predictedFrom} />
      ))}
    </>
  );
}

/** `isFew`: there are too few calls for a prediction. */
function Method({ method, isFew }: { method: ConflictMethod; isFew: boolean }): JSX.Element {
  const { target, opcode, calls, keys, conflicts, waits, serialises, undeclared, undeclaredKeys } = method;
  const unknown = undeclaredKeys.join('; ');
  return (
    <section class="method">
      <h3 class="title-row">
        <span>
          <ContractLink id={target} /> opcode <span class="mono">{opcode}</span>
        </span>
        <Pill>{count(calls, 'call')}</Pill>
        <Waiting method={method} />
        <Kernel kernel={method.kernel} />
      </h3>
      <Facts
        facts={[
          ['Conflicts with', `${percent(conflicts)} of the other calls`],
          ['Waits for', `${percent(waits)} of those before it`],
          [
            'The key that serialises',
            serialises === null ? (
              'none'
            ) : (
              <>
                <KeyText hex={serialises.key} />, in {percent(serialises.share)} of its{' '}
                {serialises.predicted ? 'conflicts' : 'waits'}
              </>
            ),
          ],
          [
            'Predicted',
            serialises?.predicted ? `for ${percent(method.predicted)} of calls` : isFew ? 'not of so few calls' : 'no',
          ],
        ]}
      />
      {method.kernel?.takes === false && <p class="sub">The kernel does not take it: {method.kernel.reason}.</p>}
      {undeclared > 0 && (
        <Notice tone="warn">
          {`${percent(undeclared)} of calls touch keys in their turn that a dry run does not: ${unknown}. `}
          <code>recordGet</code> or <code>recordPut</code> of these lets the plan know.
        </Notice>
      )}
      <Table
        label={`Keys that opcode ${opcode} of ${target} touches`}
        rows={keys}
        most={KEYS}
        keyOf={({ pattern }) => pattern}
        empty="It touches no keys."
        columns={[
          { name: 'Keys', by: ({ pattern }) => pattern, cell: ({ pattern }) => pattern },
          { name: 'Read by', isNumber: true, by: ({ read }) => read, cell: ({ read }) => percent(read) },
          { name: 'Written by', isNumber: true, by: ({ write }) => write, cell: ({ write }) => percent(write) },
          { name: 'Different', isNumber: true, by: (row) => row.keys, cell: (row) => whole(row.keys) },
        ]}
      />
    </section>
  );
}

/** What becomes of its calls, in a word. */
function Waiting({ method: { waits, conflicts } }: { method: ConflictMethod }): JSX.Element {
  if (waits > 0) return <Pill tone="warn">waits</Pill>;
  return conflicts > 0 ? <Pill tone="good">predicted</Pill> : <Pill tone="good">independent</Pill>;
}

function Kernel({ kernel }: { kernel: ConflictMethod['kernel'] }): JSX.Element {
  if (kernel === null) return <Pill tone="bad">no contract</Pill>;
  if (!kernel.takes) return <Pill tone="warn">not in the kernel</Pill>;
  return <Pill tone="good">in the kernel, {bytes(kernel.window ?? 0)} a call</Pill>;
}
