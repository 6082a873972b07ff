import { buildRegtestChain, FIXTURE_SEED } from '../fixtures/build-regtest-chain.js';
import { writeFixture } from '../fixtures/write-fixture.js';
import { builtPrograms } from '../util/built-wasm.js';

/** `warpshrew fixtures DIR`: the bundled chain again, or another one from another seed. */
export async function fixturesCommand(
  dir: string,
  options: { readonly seed?: string },
): Promise<{ text: string; exitStatus: number }> {
  const fixture = buildRegtestChain({ seed: options.seed ?? FIXTURE_SEED, programs: builtPrograms() });
  writeFixture(dir, fixture);
  return {
    text: `wrote ${fixture.blocks.length} blocks and ${fixture.notes.length} lane transactions to ${dir}`,
    exitStatus: 0,
  };
}
