import { examine } from '../doctor/doctor.js';
import type { Finding, Verdict } from '../doctor/finding.js';
import { EXIT } from '../errors/errors.js';
import { requireServing } from '../service/config.js';
import { createLogger } from '../service/log.js';
import { printable } from '../util/printable.js';
import type { CommandEnd } from './run-service.js';

const MARKS: Readonly<Record<Verdict, string>> = { ok: 'ok  ', warning: 'WARN', failure: 'FAIL', skipped: '-   ' };

/**
 * `warpshrew doctor`: one line for each thing looked at, with what to do under what is wrong (`json`: one object with
 * all of it). Exit status 1 if anything fails; a warning is no failure.
 */
export async function doctorCommand(flags: Readonly<Record<string, unknown>>): Promise<CommandEnd> {
  const { settings } = requireServing({ flags, environment: process.env });
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat, label: settings.label });
  const json = flags.json === true;
  const findings = await examine({
    settings,
    flags,
    environment: process.env,
    onFinding: (finding) => {
      if (!json) process.stdout.write(`${lineOf(finding)}\n`);
    },
    onNoise: (line) => log.debug({ line }, 'printed by a GPU driver'),
  });
  const count = (of: Verdict): number => findings.filter(({ verdict }) => verdict === of).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  const exitStatus = failures === 0 ? 0 : EXIT.check;
  if (json) return { text: JSON.stringify({ failures, warnings, findings }), exitStatus };
  return { text: `${failures} failures, ${warnings} warnings`, exitStatus };
}

function lineOf({ area, what, verdict, found, todo }: Finding): string {
  const line = printable(`${MARKS[verdict]}  ${`${area}: ${what}`.padEnd(22)}  ${found}`);
  return todo === undefined ? line : `${line}\n        ${printable(todo)}`;
}
