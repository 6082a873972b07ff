// Mutants that every policy would share: only what random blocks must keep finds them, not one policy against another.
import { COLUMNS } from './columns.mjs';
import { LANE } from './lane.mjs';
import { PROTOCOL } from './protocol.mjs';

const NAMES = [
  'failed-keeps-writes',
  'refund-to-pointer',
  'no-refund',
  'undone-keeps-effects',
  'spent-sheets-stay',
  'spent-deletion-undone',
  'credit-skipped',
  'any-asset-minted',
  'own-minted-first',
  'kept-replaced',
  'deleted-falls-through',
  'sequence-stands',
  'clone-of-clone',
  'split-keeps-shares',
  'split-amount-once',
  'take-leaves',
  'rows-first-writes-stay',
  'rows-repair-unseen',
  'rows-not-validated',
  'fuel-not-shared',
  'envelope-twice',
  'creation-free',
];

export const FUZZ = NAMES.map((name) => {
  const mutant = [...LANE, ...PROTOCOL, ...COLUMNS].find(({ id }) => id === name);
  return {
    ...mutant,
    id: `fuzz-${name}`,
    breaks: `${mutant.breaks} (random blocks)`,
    tests: ['test/execute/meaning.test.ts'],
  };
});
