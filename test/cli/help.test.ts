import { expect, test } from 'vitest';
import { flagOf } from '../../src/service/option.js';
import { GROUP_OF, GROUPS } from '../../src/service/option-groups.js';
import { OPTION_NAMES } from '../../src/service/options.js';
import { cli } from '../helpers/cli.js';

test.each([[['index']], [['config', 'check']]])(
  'the help of %s has every setting under what it is about',
  async (words) => {
    const { stdout } = await cli(...words, '--help');
    const sections = stdout.split(/^(?=[A-Z][A-Za-z ]*:$)/m).slice(1);
    expect(sections.map((text) => text.slice(0, text.indexOf(':')))).toEqual([...GROUPS, 'Options']);
    for (const name of OPTION_NAMES) {
      const flag = new RegExp(`^  ${flagOf(name).replace('--', '--(no-)?')}[ \\n]`, 'm');
      const found = sections.filter((text) => flag.test(text)).map((text) => text.slice(0, text.indexOf(':')));
      expect(found, name).toEqual([GROUP_OF[name]]);
    }
    // A switch that is on is named as it is given, and says so.
    expect(stdout).toMatch(/^ {2}--no-gpu +do not look for a GPU/m);
  },
);
