/** The test contracts of the Alkanes repository: every host function. */
import { textInputs } from '../../contracts/arguments.js';
import type { Ruled, Stage, Step } from '../sides/stage.js';
import type { Catalogue, KnownBuild } from './catalogue.js';
import { call, create, FAILS, type Gifts, inputsOfIds, type Scenario, TOO_MUCH } from './play.js';

const MINTS: Ruled = { rule: '9.13', why: 'there is no 800000000:2, the number of mints of 2:0 in the block' };
const FEE: Ruled = {
  rule: '9.13',
  why: 'some indexers stop at 800000000:3, the sum of the outputs of the coinbase',
  perhaps: true,
};
const LARGEST = (1n << 128n) - 1n;

export function stdTestScenarios(catalogue: Catalogue): Scenario[] {
  return catalogue.named(/std_test/, 'test_ext_call', 'test_static_call').flatMap((build) => [
    { name: `test contract: ${build.name}`, play: (stage: Stage) => testContract(stage, build) },
    ...[
      { opcode: 106, rule: MINTS },
      { opcode: 107, rule: FEE },
      { opcode: 40, rule: TOO_MUCH },
    ]
      .filter(({ opcode }) => build.methods.some((method) => method.opcode === BigInt(opcode)))
      .map(({ opcode, rule }) => ({
        name: `test contract, opcode ${opcode}: ${build.name}`,
        play: (stage: Stage) => lastOf(stage, build, opcode, rule),
      })),
  ]);
}

async function testContract(stage: Stage, build: KnownBuild): Promise<void> {
  const one = await create(stage, 'create', build.wasm, [0]);
  const other = await create(stage, 'create another', build.wasm, [0]);
  const has = (opcode: number): boolean => build.methods.some((method) => method.opcode === BigInt(opcode));
  const play = async (opcode: number, inputs: readonly (bigint | number)[], give: Gifts = [], ends?: Step['ends']) => {
    if (!has(opcode)) return;
    const name = build.methods.find((method) => method.opcode === BigInt(opcode))?.name ?? '';
    await call(stage, `${name} ${inputs.join(' ')}`, one, [opcode, ...inputs], { give, ends: ends ?? ['any'] });
  };
  await play(4, [], [], ['OK']);
  await play(22, [5_000], [], ['OK']);
  await call(stage, 'assets of the other one', other, [22, 700], { ends: ['any'] });
  const two: Gifts = [
    [one, 10n],
    [other, 20n],
  ];
  await play(2, []);
  await play(3, [], [[one, 1n]]);
  await play(3, [], two, FAILS.ends);
  await play(5, [], two);
  await play(6, [], two);
  await play(7, [], two);
  await play(11, [3, 1, 2, LARGEST >> 1n]);
  await play(12, [2, ...textInputs('one'), ...textInputs('a text of more than sixteen bytes')]);
  await play(13, [2, 2, 1, 2, 1, 3]);
  for (const opcode of [20, 21, 78, 100]) await play(opcode, [], [[one, 5n]], FAILS.ends);
  await play(30, [...inputsOfIds(one), 77]);
  await play(30, [...inputsOfIds(other), 5], [[other, 6n]]);
  await play(30, [...inputsOfIds(other), 1_000_000], [], FAILS.ends);
  for (const opcode of [31, 32, 33, 110]) {
    for (const target of [one, other]) {
      await play(opcode, [...inputsOfIds(target), 1, 5], two);
      await play(opcode, [...inputsOfIds(target), 2, 104, 9], two);
      await play(opcode, [...inputsOfIds(target), 1, 105]);
      await play(opcode, [...inputsOfIds(target), 1, 100], two, FAILS.ends);
      await play(opcode, [...inputsOfIds(target), 2, 22, 13], two);
    }
    await play(opcode, [2, 999, 1, 5], two, FAILS.ends);
    await play(opcode, [5, one.tx, 1, 0], []);
    await play(opcode, [800_000_000, 0, 0], []);
  }
  await play(34, [...inputsOfIds(one), 1, 105, ...inputsOfIds(other), 1, 105]);
  await play(34, [...inputsOfIds(one), 1, 100, ...inputsOfIds(other), 1, 105], [], FAILS.ends);
  for (const opcode of [40, 41, 50, 99, 101, 102, 103]) await play(opcode, []);
  await play(104, [LARGEST]);
  await play(105, []);
  await play(103, []);
}

async function lastOf(stage: Stage, build: KnownBuild, opcode: number, rule: Ruled): Promise<void> {
  const made = await create(stage, 'create', build.wasm, [0]);
  await call(stage, 'mint', made, [22, 5_000]);
  await call(stage, `opcode ${opcode}`, made, [opcode], { give: [[made, 5n]], ends: ['any'], differs: rule });
}
