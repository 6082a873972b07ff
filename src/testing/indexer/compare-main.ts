/**
 * `node scripts/compare-indexer.mjs [--indexer FILE] [--contracts FOLDER] [--only TEXT] [--trees N] [--json FILE]
 * [--log]`: plays scenarios in the parallel lane and, given one, in an Alkanes indexer build, and compares what they
 * leave. Ends with status 1 if anything differs that no rule explains, or ends otherwise than it should.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ProgramRunner } from '../../program/runner.js';
import { StandardIndexer } from '../../standard/standard-indexer.js';
import { readBuilds } from '../contracts/builds.js';
import { reportLines, sumOf } from './report.js';
import { Catalogue } from './scenarios/catalogue.js';
import { distributorScenarios } from './scenarios/distributor.js';
import { opcodeScenarios } from './scenarios/opcodes.js';
import { ownScenarios } from './scenarios/own.js';
import { oylScenarios } from './scenarios/oyl.js';
import { proxyScenarios } from './scenarios/proxies.js';
import { stdTestScenarios } from './scenarios/std-test.js';
import { tokenScenarios } from './scenarios/tokens.js';
import { PartedError, Stage, type StepReport } from './sides/stage.js';
import { TwinChain } from './sides/twins.js';

/** Chains of random call trees. */
const MOST_CHAINS = 100_000;

const { values } = parseArgs({
  options: {
    indexer: { type: 'string' },
    contracts: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    trees: { type: 'string', default: '12' },
    log: { type: 'boolean', default: false },
  },
});

const chains = Number(values.trees);
if (!Number.isInteger(chains) || chains < 0 || chains > MOST_CHAINS) {
  process.stderr.write(`--trees wants a whole number up to ${MOST_CHAINS}\n`);
  process.exit(2);
}
const folder = (name: string): string => fileURLToPath(new URL(`../../wasm/${name}`, import.meta.url));
const own = new Map([...readBuilds(folder('calls')), ...readBuilds(folder('programs'))].map((b) => [b.name, b]));
const module = values.indexer === undefined ? undefined : new Uint8Array(readFileSync(values.indexer));
const runner = new ProgramRunner();
const catalogue = new Catalogue(values.contracts === undefined ? [] : readBuilds(values.contracts), runner);
const scenarios = [
  ...ownScenarios(own, module !== undefined, chains),
  ...tokenScenarios(catalogue),
  ...stdTestScenarios(catalogue),
  ...proxyScenarios(catalogue),
  ...distributorScenarios(catalogue),
  ...oylScenarios(catalogue),
  ...opcodeScenarios(catalogue),
].filter(({ name }) => name.includes(values.only));
const reports: StepReport[] = [];

for (const scenario of scenarios) {
  const indexer = module && new StandardIndexer({ moduleBytes: module, log: values.log });
  const stage = await Stage.open(scenario.name, new TwinChain('twins'), runner, indexer);
  try {
    await scenario.play(stage);
  } catch (error) {
    if (!(error instanceof PartedError)) throw error;
  } finally {
    await indexer?.close();
  }
  reports.push(...stage.reports);
  process.stdout.write(`${reportLines(scenario.name, stage.reports)}\n`);
}
const sum = sumOf(reports);
process.stdout.write(`${sum.text}\n`);
if (module === undefined) process.stdout.write('SKIPPED: the comparison, for no indexer build was given (--indexer)\n');
if (values.contracts === undefined) process.stdout.write('SKIPPED: scenarios of public contracts (--contracts)\n');
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, undefined, 2)}\n`);
process.exitCode = sum.failed ? 1 : 0;
