import { type Command, Option as Flag } from 'commander';
import { flagOf, type Option } from '../service/option.js';
import { GROUP_OF, GROUPS } from '../service/option-groups.js';
import { OPTION_NAMES, OPTIONS } from '../service/options.js';
import { isOwn } from '../service/rockshrew.js';
import { ROCKSHREW_FLAGS } from '../service/rockshrew-flags.js';

/** The command that a command line of rockshrew-mono, which has none, is given. */
export const ROCKSHREW_COMMAND = 'rockshrew';

/** The values of a flag that is given several times. */
function joined(text: string, before: string | undefined): string {
  return before === undefined ? text : `${before},${text}`;
}

/** Gives a command a flag for every setting, the file's among them. Their values are read later, all by one schema. */
export function addSettings(command: Command): Command {
  // Commander shows groups in the order of their first flags.
  const byGroup = GROUPS.flatMap((group) => OPTION_NAMES.filter((name) => GROUP_OF[name] === group));
  for (const name of byGroup) {
    const option: Option<unknown> = OPTIONS[name];
    command.optionsGroup(`${GROUP_OF[name]}:`);
    const flag = flagOf(name);
    const { about, fallback, placeholder, repeats } = option;
    const usual = fallback === undefined || placeholder === undefined ? '' : ` (default: ${fallback})`;
    if (placeholder === undefined) {
      if (fallback === true) command.addOption(new Flag(flag).hideHelp());
      command.option(
        ...(fallback === true ? ([flag.replace('--', '--no-'), `do not ${about}`] as const) : ([flag, about] as const)),
      );
    } else {
      const of = new Flag(`${flag} <${placeholder}>`, `${about}${usual}`);
      command.addOption(repeats ? of.argParser(joined) : of);
    }
  }
  command.option('--config <file>', 'file of settings: JSON, comments allowed');
  for (const [name, flag] of Object.entries(ROCKSHREW_FLAGS)) {
    if (isOwn(name, flag)) continue;
    const { placeholder, about } = flag;
    // Without its opposite, a switch --no-… would be taken for given.
    if (name.startsWith('no-')) command.addOption(new Flag(`--${name.slice('no-'.length)}`).hideHelp());
    command.addOption(
      new Flag(placeholder === undefined ? `--${name}` : `--${name} <${placeholder}>`, about).hideHelp(),
    );
  }
  return command;
}

/** The arguments of the process, with {@link ROCKSHREW_COMMAND} where they begin with a setting, not with a command. */
export function withCommand(argv: readonly string[]): string[] {
  const [node, script, ...args] = argv;
  const name = /^--([a-z-]+)/.exec(args[0] ?? '')?.[1];
  const settings = [
    'config',
    ...Object.keys(ROCKSHREW_FLAGS),
    ...Object.keys(OPTIONS).map((of) => flagOf(of).slice(2)),
  ];
  const isSetting = name !== undefined && settings.includes(name);
  return [node, script, ...(isSetting ? [ROCKSHREW_COMMAND] : []), ...args];
}
