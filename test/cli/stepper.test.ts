import { expect, it } from 'vitest';
import { stepThrough } from '../../src/cli/stepper.js';
import type { Step } from '../../src/simulate/steps.js';
import { stepPages } from '../../src/trace/step-pages.js';

const step = (more: Partial<Step>): Step => ({
  ...{ protostone: 0, frame: 0, depth: 0, call: '__load_context', given: {}, result: null },
  ...{ fuel: 100, fuelUsed: 5, stop: null, ...more },
});
const MESSAGES = [{ protostone: 0, target: '2:1', calls: [{ kind: 'staticcall', target: '2:4', opcode: '3' }] }];
const STEPS = [
  step({ result: '0x02' }),
  step({ call: '__load_storage', given: { key: '0x6d "m"' }, result: '0x07' }),
  step({ frame: 1, depth: 1, call: '__load_storage', given: { key: '0x6e "n"' }, result: '0x08' }),
  step({ call: '__sha256', given: { in: '0x01' }, result: '0xff', stop: 'out of fuel' }),
];

it('a page says who makes a host call, what it was given, what came of it and what was read so far', () => {
  const pages = stepPages(MESSAGES, STEPS, 'the end');
  expect(pages).toHaveLength(5);
  expect(pages[0]).toBe(
    [
      'step 1 of 4: message of protostone 0 to 2:1',
      '  __load_context',
      '    result    0x02',
      '    fuel      100 before, 5 used',
    ].join('\n'),
  );
  expect(pages[1]).toMatch(/ {4}key {7}0x6d "m"\n {4}result {4}0x07\n(.*\n)* {2}so far\n {4}read {6}0x6d "m" = 0x07$/);
  expect(pages[2]).toMatch(/^step 3 of 4: .* to 2:1, call 1: staticcall 2:4 opcode 3\n/);
  // Each frame has its own storage.
  expect(pages[2]).not.toContain('0x6d');
  expect(pages[3]).toMatch(/stops {5}out of fuel\n(.*\n)* {4}read {6}0x6d "m" = 0x07$/);
  expect(pages[4]).toBe('the end');
});

it('lines of input go on, back, to a step, and to a text', async () => {
  const shown = async (...lines: string[]): Promise<string[]> => {
    const said: string[] = [];
    async function* input(): AsyncGenerator<string> {
      yield* lines;
    }
    await stepThrough(['one', 'two', 'three', 'four two'], input(), (text) => said.push(text.split('\n')[0]));
    return said;
  };
  expect(await shown('', 'p', 'p', '3', '99', '0')).toEqual(['one', 'two', 'one', 'one', 'three', 'four two', 'one']);
  expect(await shown('/two', '/two', '/two')).toEqual([
    'one',
    'two',
    'four two',
    expect.stringMatching(/^Enter: next/),
  ]);
  expect(await shown('4', '', '')).toEqual(['one', 'four two']);
  expect(await shown('q', '')).toEqual(['one']);
});
