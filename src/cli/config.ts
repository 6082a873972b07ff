import { EXIT } from '../errors/errors.js';
import { maskUserInfo } from '../errors/mask.js';
import { problemLines, readConfig } from '../service/config.js';
import { flagOf, type Option } from '../service/option.js';
import { OPTION_NAMES, OPTIONS } from '../service/options.js';

/** `warpshrew config check`: every setting with its origin, then every problem. */
export function configCheckCommand(flags: Readonly<Record<string, unknown>>): { text: string; exitStatus: number } {
  const { settings, origins, problems } = readConfig({ flags, environment: process.env });
  const rows = OPTION_NAMES.map((name) => {
    const { secret }: Option<unknown> = OPTIONS[name];
    const value = settings[name];
    const shown = value === undefined ? '-' : secret ? '********' : maskUserInfo(String(value));
    return [flagOf(name).slice(2), shown, origins[name]] as const;
  });
  const [first, second] = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map(([name, value, origin]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${origin}`);
  const lines = [...problemLines(problems)].map(([origin, reason]) => `  ${origin}: ${reason}`);
  const end = lines.length === 0 ? ['No problems.'] : [`Problems (${lines.length}):`, ...lines];
  return { text: [...table, '', ...end].join('\n'), exitStatus: lines.length === 0 ? 0 : EXIT.usage };
}
