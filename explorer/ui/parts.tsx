/** Small parts that every page is made of. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { RpcFailure } from '../../src/client/client.js';
import { brief } from '../data/format.js';
import type { Loaded } from '../data/load.js';
import { type PageName, pathTo } from '../route.js';

interface Children {
  readonly children: ComponentChildren;
}

export function Card({ title, aside, children }: Children & { title: string; aside?: ComponentChildren }): JSX.Element {
  return (
    <section class="card">
      <header class="card-head">
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** Names and values side by side. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A figure that is to be seen first. */
export function Figure({ name, note, children }: Children & { name: string; note?: ComponentChildren }): JSX.Element {
  return (
    <div class="figure">
      <div class="figure-name">{name}</div>
      <div class="figure-value">{children}</div>
      <div class="figure-note">{note}</div>
    </div>
  );
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'accent';

export function Pill({ tone = 'plain', title, children }: Children & { tone?: Tone; title?: string }): JSX.Element {
  return (
    <span class={`pill ${tone}`} title={title}>
      {children}
    </span>
  );
}

const TONES: Readonly<Record<string, Tone>> = { OK: 'good', STANDARD: 'plain', NONE: 'plain' };

/** Status of a transaction, message or call. */
export function StatusPill({ status }: { status: string }): JSX.Element {
  return <Pill tone={TONES[status] ?? 'bad'}>{status.replaceAll('_', ' ')}</Pill>;
}

/** A hash that can be copied; short where `whole` is not set. */
export function Hash({ text, whole = false }: { text: string; whole?: boolean }): JSX.Element {
  return (
    <span class="hash">
      <code title={text}>{whole ? text : brief(text)}</code>
      <CopyButton text={text} />
    </span>
  );
}

const COPIED_MS = 1_200;

function CopyButton({ text }: { text: string }): JSX.Element | null {
  const [copied, setCopied] = useState(false);
  // Browsers have a clipboard on this machine and over TLS only.
  if (!('clipboard' in navigator)) return null;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${brief(text)}`} title="Copy" onClick={() => void copy()}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d={copied ? 'M3 8.5l3.2 3L13 4.5' : 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3'} />
      </svg>
    </button>
  );
}

/** A link to another page of the explorer. */
export function To({
  page,
  about,
  children,
  title,
}: {
  page: PageName;
  about: string | number;
  children?: ComponentChildren;
  title?: string;
}): JSX.Element {
  return (
    <a href={pathTo(page, about)} title={title}>
      {children ?? about}
    </a>
  );
}

export function TxLink({ txid }: { txid: string }): JSX.Element {
  return (
    <a class="mono" href={pathTo('tx', txid)} title={txid}>
      {brief(txid)}
    </a>
  );
}

export function ContractLink({ id }: { id: string }): JSX.Element {
  return (
    <a class="mono" href={pathTo('contract', id)}>
      {id}
    </a>
  );
}

export function OutputLink({ outpoint }: { outpoint: string }): JSX.Element {
  const [txid, vout] = outpoint.split(':');
  return (
    <a class="mono" href={pathTo('output', outpoint)} title={outpoint}>
      {brief(txid)}:{vout}
    </a>
  );
}

/** Something that the reader should know before the rest. */
export function Notice({ tone = 'plain', children }: Children & { tone?: Tone }): JSX.Element {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/** Says what went wrong, where, and what to do. */
export function Failed({ error }: { error: unknown }): JSX.Element {
  if (error instanceof RpcFailure) {
    return (
      <Notice tone="bad">
        <strong>{error.message.slice(error.code.length + 2)}</strong> {error.hint}{' '}
        <code class="quiet">{error.code}</code>
      </Notice>
    );
  }
  return (
    <Notice tone="bad">The server cannot be asked: {error instanceof Error ? error.message : String(error)}</Notice>
  );
}

/** What is shown of something that is fetched: its value, why there is none, or that it is being fetched. */
export function Shown<T>({
  loaded,
  children,
}: {
  loaded: Loaded<T>;
  children: (value: T) => ComponentChildren;
}): JSX.Element {
  const { value, error, isLoading } = loaded;
  if (value !== undefined) return <>{children(value)}</>;
  if (!isLoading) return <Failed error={error} />;
  return (
    <p class="loading" role="status">
      Loading …
    </p>
  );
}

export function Empty({ children }: Children): JSX.Element {
  return <p class="empty">{children}</p>;
}
