/** What a comparison prints. */
import type { StepReport } from './sides/stage.js';

const MOST_SHOWN = 5;
const MOST_TEXT = 200;

/** A line per scenario, and more for what failed or differs. */
export function reportLines(scenario: string, steps: readonly StepReport[]): string {
  const ok = steps.flatMap(({ ends }) => ends).filter((end) => end === 'OK').length;
  const lines = [
    `${scenario}: ${count(steps)} messages, ${ok} OK; ${steps.some(isWrong) ? 'WRONG' : 'as it should be'}`,
  ];
  for (const step of steps) {
    const { differences, ruled, failures, ends } = step;
    if (ruled !== undefined && differences.length > 0) {
      lines.push(`  ${step.step}: differs by rule ${ruled.rule}: ${ruled.why}`);
    }
    if (!isWrong(step)) continue;
    lines.push(`  ${step.step}: ${ends.join(', ')}`, ...failures.map((text) => `    ${text}`));
    for (const { what, where, lane, indexer } of differences.slice(0, MOST_SHOWN)) {
      lines.push(`    ${what} ${where}: lane ${short(lane)}, indexer ${short(indexer)}`);
    }
    if (differences.length > MOST_SHOWN) lines.push(`    and ${differences.length - MOST_SHOWN} more`);
  }
  return lines.join('\n');
}

/** All scenarios in a few lines. */
export function sumOf(steps: readonly StepReport[]): { readonly text: string; readonly failed: boolean } {
  const ruled = steps.filter(({ ruled, differences }) => ruled !== undefined && differences.length > 0);
  const wrong = steps.filter(isWrong);
  const rules = new Map<string, number>();
  for (const { ruled: by } of ruled) if (by !== undefined) rules.set(by.rule, (rules.get(by.rule) ?? 0) + 1);
  const byRule = [...rules].map(([rule, times]) => `${rule}: ${times}`).join(', ');
  const text = [
    `${count(steps)} messages in ${steps.length} steps`,
    `differences that a rule makes: ${ruled.length}${byRule && ` (${byRule})`}`,
    `wrong: ${wrong.length}`,
  ].join('\n');
  return { text, failed: wrong.length > 0 };
}

function isWrong({ differences, ruled, failures }: StepReport): boolean {
  return failures.length > 0 || (ruled === undefined && differences.length > 0);
}

function count(steps: readonly StepReport[]): number {
  return steps.reduce((sum, { messages }) => sum + messages, 0);
}

function short(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}
