/** Looks at everything that indexing needs on this machine, with the settings that it would have. Changes nothing. */
import type { Settings } from '../service/options.js';
import { messageOf } from './cause.js';
import { examineDatabase } from './database.js';
import { AREAS, type Area, type Finding } from './finding.js';
import { examineGpu } from './gpu.js';
import { examineNode } from './node.js';
import { examineProgram } from './program.js';

export interface DoctorOptions {
  readonly settings: Settings;
  /** As they were given, to read credentials again. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: NodeJS.ProcessEnv;
  readonly onFinding: (finding: Finding) => void;
  /** Hears what drivers print. */
  readonly onNoise: (line: string) => void;
}

/** Examines one area after the other; what goes wrong on the way is a finding, too. Gives all findings. */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const { settings, flags, environment, onFinding, onNoise } = options;
  const checks: Readonly<Record<Area, () => Promise<readonly Finding[]>>> = {
    program: examineProgram,
    gpu: () => examineGpu({ settings, environment, onNoise }),
    database: () => examineDatabase(settings),
    node: () => examineNode({ settings, flags, now: Date.now }),
  };
  const all: Finding[] = [];
  for (const area of AREAS) {
    const found = await checks[area]().catch((error: unknown) => [unexpected(area, error)]);
    for (const finding of found) onFinding(finding);
    all.push(...found);
  }
  return all;
}

function unexpected(area: Area, error: unknown): Finding {
  const todo = 'This is a defect: please report it with what is printed here.';
  return { area, what: 'the check itself', verdict: 'failure', found: messageOf(error), todo };
}
