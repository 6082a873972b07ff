/** Colours of the picture, as the style has them. */

const STOPS = 6;
/** Keys that have a colour of their own: those that make the most edges. */
export const KEY_COLOURS = 8;

export interface Colours {
  readonly edge: string;
  readonly mark: string;
  readonly demoted: string;
  readonly text: string;
  readonly font: string;
  readonly keys: readonly string[];
  /** From the first batch to the last one. */
  readonly batches: readonly string[];
  readonly executors: Readonly<Record<string, string>>;
}

export function coloursOf(style = getComputedStyle(document.documentElement)): Colours {
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    edge: of('--edge'),
    mark: of('--edge-mark'),
    demoted: of('--demoted'),
    text: of('--text'),
    font: of('--sans'),
    keys: Array.from({ length: KEY_COLOURS }, (_, i) => of(`--key-${i}`)),
    batches: Array.from({ length: STOPS }, (_, i) => of(`--batch-${i}`)),
    executors: Object.fromEntries(['gpu', 'reuse', 'cpu', 'sequential'].map((name) => [name, of(`--run-${name}`)])),
  };
}

/** The colour of a batch of `count`, 1 the first. */
export function batchColour(stops: readonly string[], batch: number, count: number): string {
  const at = count <= 1 ? 0 : ((batch - 1) / (count - 1)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.max(0, Math.floor(at)));
  return mix(stops[low], stops[low + 1], at - low);
}

/** A colour between two of the form #rrggbb. */
export function mix(from: string, to: string, share: number): string {
  const part = (text: string, at: number): number => Number.parseInt(text.slice(at, at + 2), 16);
  const channel = (at: number): string =>
    Math.round(part(from, at) * (1 - share) + part(to, at) * share)
      .toString(16)
      .padStart(2, '0');
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
