import type { JSX } from 'preact';
import { share, whole } from '../data/format.js';

export interface Part {
  readonly name: string;
  readonly value: number;
  /** Class that gives it its colour. */
  readonly tone: string;
}

/** One bar that parts of a whole share, and what they are. */
export function Shares({ label, parts }: { label: string; parts: readonly Part[] }): JSX.Element {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  const shown = parts.filter(({ value }) => value > 0);
  return (
    <figure class="shares">
      <figcaption class="unseen">{label}</figcaption>
      <div class="shares-bar" aria-hidden="true">
        {shown.map(({ name, value, tone }) => (
          <div key={name} class={tone} style={{ flexGrow: value }} />
        ))}
      </div>
      <ul>
        {parts.map(({ name, value, tone }) => (
          <li key={name} class={value === 0 ? 'quiet' : undefined}>
            <i class={`dot ${tone}`} aria-hidden="true" />
            {name} <strong>{whole(value)}</strong> <span class="quiet">{share(value, total)}</span>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** What ran transactions to their end, in words. */
export const EXECUTOR_NAMES = {
  gpu: 'GPU kernel',
  reuse: 'dry run reused',
  cpu: 'CPU, in its batch',
  sequential: 'CPU, in turn',
} as const;
export type ExecutorName = keyof typeof EXECUTOR_NAMES;

export function executorParts(counts: Readonly<Record<ExecutorName, number>>): Part[] {
  return (Object.keys(EXECUTOR_NAMES) as ExecutorName[]).map((name) => ({
    name: EXECUTOR_NAMES[name],
    value: counts[name],
    tone: `run-${name}`,
  }));
}
