import type { Step } from '../simulate/steps.js';

/** What a page says of the message that a step belongs to. */
export interface PagedMessage {
  readonly protostone: number;
  readonly target: string | null;
  readonly calls: readonly { readonly kind: string; readonly target: string; readonly opcode: string | null }[];
}

const SHOWN_READS = 12;

/**
 * A page for each host call: who makes it, what it was given, what came of it, and what its frame has read of its
 * storage so far. The last page is `end`.
 */
export function stepPages(messages: readonly PagedMessage[], steps: readonly Step[], end: string): string[] {
  const reads = new Map<string, Map<string, string>>();
  const pages = steps.map((step, at) => {
    const { protostone, frame, call, given, result, fuel, fuelUsed, stop } = step;
    const own = reads.get(`${protostone} ${frame}`) ?? new Map<string, string>();
    reads.set(`${protostone} ${frame}`, own);
    if (call === '__load_storage' && given.key !== undefined) own.set(given.key, result ?? 'nothing');
    const shown = [...own].slice(-SHOWN_READS).map(([key, value]) => `    read      ${key} = ${value}`);
    return [
      `step ${at + 1} of ${steps.length}: ${makerOf(messages, step)}`,
      `  ${call}`,
      ...Object.entries(given).map(([name, value]) => `    ${name.padEnd(9)} ${value}`),
      ...(result === null ? [] : [`    result    ${result}`]),
      ...(stop === null ? [] : [`    stops     ${stop}`]),
      `    fuel      ${fuel} before, ${fuelUsed} used`,
      ...(shown.length === 0 ? [] : ['  so far', ...shown]),
    ].join('\n');
  });
  return [...pages, end];
}

function makerOf(messages: readonly PagedMessage[], { protostone, frame }: Step): string {
  const message = messages.find((each) => each.protostone === protostone);
  const outer = `message of protostone ${protostone} to ${message?.target ?? 'nobody'}`;
  if (frame === 0) return outer;
  const inner = message?.calls[frame - 1];
  if (inner === undefined) return `${outer}, call ${frame}`;
  const { kind, target, opcode } = inner;
  return `${outer}, call ${frame}: ${kind} ${target}${opcode === null ? '' : ` opcode ${opcode}`}`;
}
