import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RpcFailure } from '../../src/client/client.js';
import type { Simulation, SimulationRequest } from '../../src/client/types.js';
import { BadInput, type ContractMeta, type ContractMethod, inputsOf, metaOf, numbersOf } from '../data/calls.js';
import { whole } from '../data/format.js';
import { useLoad } from '../data/load.js';
import { rpc } from '../data/rpc.js';
import { Card, Failed, Notice, Shown, StatusPill } from '../ui/parts.js';
import { Changes } from './changes.js';
import { MessageCard } from './transaction-messages.js';

/** Stands for any opcode. */
const ANY: ContractMethod = { name: 'any opcode', opcode: '', params: [], returns: '' };

/** What a contract says of itself; undefined: it says nothing. */
async function loadMeta(id: string): Promise<{ readonly meta: ContractMeta | undefined; readonly why: string }> {
  try {
    return { meta: metaOf(await rpc.call('warpshrew_getmeta', id)), why: '' };
  } catch (error) {
    if (!(error instanceof RpcFailure) || !error.code.startsWith('META_')) throw error;
    return { meta: undefined, why: error.message.slice(error.code.length + 2) };
  }
}

/** The methods of a contract, and a form that runs one of them and keeps nothing. */
export function Simulate({ id }: { id: string }): JSX.Element {
  const loaded = useLoad(id, () => loadMeta(id));
  return (
    <Shown loaded={loaded}>
      {({ meta, why }) => (
        <Card
          title={meta?.name ? `Methods of ${meta.name}` : 'Call it'}
          aside={<span class="quiet">nothing is kept</span>}
        >
          {meta === undefined && <p class="quiet">Its methods are not known: {why}.</p>}
          <Form id={id} methods={[...(meta?.methods ?? []), ANY]} />
        </Card>
      )}
    </Shown>
  );
}

type Outcome = { readonly simulation: Simulation } | { readonly error: unknown } | { readonly fault: string };

function Form({ id, methods }: { id: string; methods: readonly ContractMethod[] }): JSX.Element {
  const [at, setAt] = useState(0);
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({});
  const [outcome, setOutcome] = useState<Outcome>();
  const [isBusy, setBusy] = useState(false);
  const method = methods[at];
  const field = (name: string): string => given[`${at} ${name}`] ?? '';
  const run = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setOutcome(await simulate(id, method, field));
    setBusy(false);
  };
  const fields = method === ANY ? ['opcode and inputs'] : method.params.map(({ name }) => name);
  return (
    <form class="call-form" onSubmit={(event) => void run(event)}>
      <label>
        <span>Method</span>
        <select value={at} onChange={(event) => setAt(Number(event.currentTarget.value))}>
          {methods.map(({ name, opcode, returns }, place) => (
            <option key={`${name} ${opcode}`} value={place}>
              {name}
              {opcode === '' ? '' : ` (${opcode})`}
              {returns === '' ? '' : ` → ${returns}`}
            </option>
          ))}
        </select>
      </label>
      {[...fields, 'assets'].map((name) => (
        <label key={name}>
          <span>
            {name === 'assets' ? 'Assets sent' : name}{' '}
            <span class="quiet">{method.params.find((param) => param.name === name)?.type}</span>
          </span>
          <input
            value={field(name)}
            maxLength={4_096}
            autocomplete="off"
            spellcheck={false}
            placeholder={HINTS[name] ?? ''}
            onInput={(event) => setGiven({ ...given, [`${at} ${name}`]: event.currentTarget.value })}
          />
        </label>
      ))}
      <button type="submit" class="primary" disabled={isBusy}>
        {isBusy ? 'Running …' : 'Simulate'}
      </button>
      <div class="call-outcome" aria-live="polite">
        {outcome !== undefined && <OutcomeShown outcome={outcome} />}
      </div>
    </form>
  );
}

const HINTS: Readonly<Record<string, string>> = { 'opcode and inputs': '1, 2, 0xff', assets: '2:1 = 1000, 2:3 = 5' };

async function simulate(id: string, method: ContractMethod, field: (name: string) => string): Promise<Outcome> {
  let request: SimulationRequest;
  try {
    const inputs =
      method === ANY
        ? numbersOf('Each input', field('opcode and inputs'))
        : [method.opcode, ...method.params.flatMap((param) => inputsOf(param, field(param.name)))];
    request = { target: id, inputs, incoming: assetsOf(field('assets')) };
  } catch (error) {
    if (error instanceof BadInput) return { fault: error.message };
    throw error;
  }
  try {
    return { simulation: await rpc.call('warpshrew_simulate', request) };
  } catch (error) {
    return { error };
  }
}

function assetsOf(given: string): Record<string, string> {
  const parts = given.split(',').filter((part) => part.trim() !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const match = /^\s*(\d+:\d+)\s*=\s*(\d{1,39})\s*$/.exec(part);
      if (match === null) throw new BadInput('Assets are written as 2:1 = 1000, with commas between them');
      return [match[1], match[2]];
    }),
  );
}

function OutcomeShown({ outcome }: { outcome: Outcome }): JSX.Element {
  if ('fault' in outcome) return <Notice tone="bad">{outcome.fault}.</Notice>;
  if ('error' in outcome) return <Failed error={outcome.error} />;
  const { simulation } = outcome;
  return (
    <>
      <p>
        <StatusPill status={simulation.status} /> {simulation.error} {whole(simulation.fuel)} of{' '}
        {whole(simulation.fuelLimit)} fuel, on the state after block {whole(simulation.height)}
      </p>
      <h3>What it would change</h3>
      <Changes {...simulation} />
      {simulation.messages.map((message) => (
        <MessageCard key={message.protostone} message={message} />
      ))}
    </>
  );
}
