import { EXIT } from '../errors/errors.js';
import { maskUserInfo } from '../errors/mask.js';
import { problemLines, readConfig } from '../service/config.js';
import { flagOf, type Option } from '../service/option.js';
import { OPTION_NAMES, OPTIONS } from '../service/options.js';

/** `warpshrew config check`: every setting with its origin, then what has no meaning here, then every problem. */
export function configCheckCommand(flags: Readonly<Record<string, unknown>>): { text: string; exitStatus: number } {
  const { settings, origins, problems, notes } = readConfig({ flags, environment: process.env });
  const rows = OPTION_NAMES.map((name) => {
    const { secret }: Option<unknown> = OPTIONS[name];
    const value = settings[name];
    const shown = value === undefined ? '-' : secret ? '********' : maskUserInfo(String(value));
    return [flagOf(name).slice(2), shown, origins[name]] as const;
  });
  const [first, second] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map(([name, value, origin]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${origin}`);
  const shown = (of: typeof notes) => [...problemLines(of)].map(([origin, reason]) => `  ${origin}: ${reason}`);
  const [lines, said] = [shown(problems), shown(notes)];
  const noted = said.length === 0 ? [] : [`Notes (${said.length}):`, ...said, ''];
  const end = lines.length === 0 ? ['No problems.'] : [`Problems (${lines.length}):`, ...lines];
  return { text: [...table, '', ...noted, ...end].join('\n'), exitStatus: lines.length === 0 ? 0 : EXIT.usage };
}
