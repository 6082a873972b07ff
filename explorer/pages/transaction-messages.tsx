import type { JSX } from 'preact';
import type { Call, Message, Trace } from '../../src/client/types.js';
import { bytes, count, share, whole } from '../data/format.js';
import { Data } from '../ui/data.js';
import { Card, ContractLink, Empty, Facts, Pill, StatusPill } from '../ui/parts.js';

/** The messages of a transaction, each with the tree of the calls below it. */
export function Messages({ trace }: { trace: Pick<Trace, 'messages'> }): JSX.Element {
  return (
    <>
      {trace.messages.length === 0 && (
        <Card title="Messages">
          <Empty>It has no message for the lane.</Empty>
        </Card>
      )}
      {trace.messages.map((message) => (
        <MessageCard key={message.protostone} message={message} />
      ))}
    </>
  );
}

export function MessageCard({ message }: { message: Message }): JSX.Element {
  const { protostone, shadowVout, status, target, error, abort, fuelUsed, data, dataBytes, logs, logTotal } = message;
  const title = `Message of protostone ${protostone}`;
  return (
    <Card title={title} aside={<span class="quiet">shadow output {whole(shadowVout)}</span>}>
      <Facts
        facts={[
          ['Status', <StatusPill key="s" status={status} />],
          ...(error === null ? [] : ([['Why', error]] as const)),
          ...(abort === null
            ? []
            : ([
                [
                  'It aborted with',
                  <span key="a" class="wrap">
                    {abort}
                  </span>,
                ],
              ] as const)),
          ['Data', <Data key="d" hex={data} bytes={dataBytes} />],
        ]}
      />
      <CallTree message={message} own={fuelUsed} target={target} />
      {logs.length > 0 && (
        <>
          <h3>Log</h3>
          <ul class="log">
            {logs.map(({ frame, text }, at) => (
              <li key={at}>
                <span class="quiet">{frame === 0 ? 'message' : `call ${frame}`}</span> <code class="wrap">{text}</code>
              </li>
            ))}
          </ul>
          {logTotal > logs.length && <p class="quiet">and {whole(logTotal - logs.length)} more</p>}
        </>
      )}
    </Card>
  );
}

interface CallTreeProps {
  readonly message: Pick<Message, 'calls' | 'callTotal' | 'status'>;
  /** Fuel of the message, its calls included. */
  readonly own: number;
  readonly target: string | null;
}

/** What called what, and where the fuel went. */
function CallTree({ message: { calls, callTotal, status }, own, target }: CallTreeProps): JSX.Element {
  return (
    <>
      <h3>
        Calls <span class="quiet">{whole(own)} fuel</span>
      </h3>
      <ol class="calls">
        <li>
          <div class="call">
            <StatusPill status={status} /> {target === null ? 'nobody' : <ContractLink id={target} />}
            <span class="quiet">the message itself</span>
          </div>
        </li>
        {calls.map((call, at) => (
          <li key={at} style={{ paddingLeft: `${Math.min(call.depth, MOST_INDENT) * INDENT}px` }}>
            <CallLine call={call} own={own} />
          </li>
        ))}
      </ol>
      {callTotal > calls.length && <p class="quiet">and {count(callTotal - calls.length, 'more call')}</p>}
    </>
  );
}

const INDENT = 18;
const MOST_INDENT = 24;

function CallLine({ call, own }: { call: Call; own: number }): JSX.Element {
  const { kind, target, opcode, status, fuelUsed, parcel, transfers, dataBytes } = call;
  const moved = [
    parcel > 0 ? `${count(parcel, 'asset')} in` : '',
    transfers > 0 ? `${count(transfers, 'asset')} out` : '',
    dataBytes > 0 ? `${bytes(dataBytes)} back` : '',
  ].filter((part) => part !== '');
  return (
    <div class="call">
      <StatusPill status={status} /> <ContractLink id={target} />
      {kind !== 'call' && <Pill>{kind}</Pill>}
      {opcode !== null && <span>opcode {opcode}</span>}
      <span class="quiet">{moved.join(', ')}</span>
      <span class="call-fuel">
        <span class="bar" aria-hidden="true">
          <i style={{ width: `${own === 0 ? 0 : (100 * fuelUsed) / own}%` }} />
        </span>
        {whole(fuelUsed)} <span class="quiet">{share(fuelUsed, own)}</span>
      </span>
    </div>
  );
}
