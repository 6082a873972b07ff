import { keyHex } from '../lane/keys.js';
import { keyText } from '../trace/key-text.js';
import type { ConflictReport, MethodReport } from './conflicts.js';

const MOST_KEYS = 12;

/** A report for people. */
export function conflictText({ calls, demoted, parallel, expected, methods }: ConflictReport): string {
  const more = demoted === 0 ? '' : `, and ${demoted} transactions that spend outputs of others`;
  const of = expected.filter((each) => each.calls < calls).map((each) => `${percent(each.parallel)} of ${each.calls}`);
  const head = [
    `${calls} calls${more}`,
    `run at once: ${percent(parallel)}${of.length === 0 ? '' : ` (in smaller blocks of them ${of.join(', ')})`}`,
  ];
  return [...head, ...methods.flatMap(methodText)].join('\n');
}

function methodText(method: MethodReport): string[] {
  const { target, opcode, calls, keys, conflicts, waits, serialises, predicted, kernel } = method;
  const shown = keys
    .slice(0, MOST_KEYS)
    .map(
      ({ pattern, read, write, keys: different }) =>
        `  ${pattern}: read by ${percent(read)}, written by ${percent(write)}, ${different} different`,
    );
  const lines = [
    `${target} opcode ${opcode}: ${calls} calls`,
    ...shown,
    ...(keys.length > MOST_KEYS ? [`  and ${keys.length - MOST_KEYS} more kinds of keys`] : []),
    `  conflicts with ${percent(conflicts)} of the other calls, waits for ${percent(waits)} of those before it`,
  ];
  if (serialises !== undefined) {
    const key = keyText(keyHex(serialises.key));
    const share = percent(serialises.share);
    lines.push(
      serialises.predicted
        ? `  the key of ${share} of its conflicts: ${key}; its reads are predicted for ${percent(predicted)} of calls`
        : `  the key of ${share} of its waits: ${key}; it is not predicted`,
    );
  }
  if (kernel?.takes === true) lines.push(`  the kernel takes it (${kernel.window} bytes of memory a call)`);
  else if (kernel !== undefined) lines.push(`  the kernel does not take it: ${kernel.reason}`);
  else lines.push('  there is no contract of that id before the block');
  lines.push(...declarationText(method));
  return lines;
}

function declarationText({ undeclared, undeclaredKeys }: MethodReport): string[] {
  if (undeclared === 0) return [];
  const keys = undeclaredKeys.slice(0, MOST_KEYS).join('; ');
  return [
    `  ${percent(undeclared)} touch keys in their turn that a dry run does not: ${keys}`,
    '    __record_get or __record_put of these (recordGet, recordPut of the SDK) lets the plan know',
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
}
