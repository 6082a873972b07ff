/**
 * `node scripts/check-contracts.mjs FOLDER [--json FILE] [--only TEXT]`: checks every contract build below FOLDER.
 * Prints a table; ends with status 1 if anything ended in an error of the project's own.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ProgramRunner } from '../../program/runner.js';
import { type Build, looksLikeContract, readBuilds } from './builds.js';
import { type BuildReport, checkBuild } from './check-build.js';
import { metaOf } from './meta.js';
import { tableOf } from './table.js';

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, only: { type: 'string', default: '' } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  process.stderr.write('usage: node scripts/check-contracts.mjs FOLDER [--json FILE] [--only TEXT]\n');
  process.exit(2);
}

const all = readBuilds(positionals[0]);
const builds = all.filter(({ wasm, name }) => name.includes(values.only) && looksLikeContract(wasm));
const runner = new ProgramRunner();
const authToken = all.find(isAuthToken);
const reports = builds.map((build) => checkBuild(build, runner, authToken?.wasm));
process.stdout.write(`${tableOf(reports)}\n${summary(reports)}\n`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, undefined, 2)}\n`);
process.exitCode = reports.some(isInternal) ? 1 : 0;

/** The contract that makes auth tokens is told by its name and by what it understands. */
function isAuthToken({ name, wasm }: Build): boolean {
  if (!name.includes('auth_token')) return false;
  const methods = metaOf(wasm, runner);
  return typeof methods !== 'string' && methods.some((method) => method.name === 'authenticate');
}

function isInternal({ refused, untranslated, noMeta, calls }: BuildReport): boolean {
  const own = (text: string | undefined): boolean => text?.startsWith('INTERNAL') ?? false;
  return own(refused) || own(untranslated) || own(noMeta) || calls.some(({ status }) => status === 'INTERNAL');
}

function summary(list: readonly BuildReport[]): string {
  const admitted = list.filter(({ refused }) => refused === undefined);
  const calls = list.flatMap((report) => report.calls);
  const ends = new Map<string, number>();
  for (const { status } of calls) ends.set(status, (ends.get(status) ?? 0) + 1);
  const tally = [...ends].map(([status, count]) => `${count} ${status}`).join(', ');
  const lines = [
    `${all.length} modules, ${builds.length} of them contracts; admitted: ${admitted.length}`,
    `translated: ${admitted.filter(({ untranslated }) => untranslated === undefined).length}`,
    `${calls.length} calls: ${tally || 'none'}`,
  ];
  if (authToken === undefined) lines.push('SKIPPED: no auth token build: contracts that make themselves one fail');
  const guessed = admitted.filter(({ noMeta }) => noMeta !== undefined).length;
  if (guessed > 0) lines.push(`${guessed} builds without usable __meta: their opcodes were guessed`);
  return lines.join('\n');
}
