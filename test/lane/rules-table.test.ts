import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/lane-rules.md', root), 'utf8');
const rows = text
  .slice(text.indexOf('## Tests'))
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.slice(2, -2).split(' | '));

describe('docs/lane-rules.md', () => {
  it.each(rows)('rule %s: %s › %s exists', (_, file, name) => {
    expect(existsSync(new URL(file, root))).toBe(true);
    const source = readFileSync(new URL(file, root), 'utf8');
    const quoted = [`'${name.replaceAll("'", "\\'")}'`, `"${name}"`, `\`${name.replaceAll('`', '\\`')}\``];
    expect(quoted.some((form) => source.includes(form))).toBe(true);
  });

  it('every numbered rule has a test', () => {
    const numbered = [...text.matchAll(/^(\d+\.\d+) /gm)].map(([, rule]) => rule);
    const held = new Set(rows.flatMap(([rules]) => rules.split(', ')));
    expect(numbered.filter((rule) => !held.has(rule))).toEqual([]);
    expect(numbered.length).toBeGreaterThan(30);
  });
});
