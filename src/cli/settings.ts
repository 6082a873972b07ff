import { type Command, Option as Flag } from 'commander';
import { flagOf, type Option } from '../service/option.js';
import { OPTIONS } from '../service/options.js';

/** Gives a command a flag for every setting, the file's among them. Their values are read later, all by one schema. */
export function addSettings(command: Command): Command {
  command.option('--config <file>', 'file of settings: JSON, comments allowed');
  for (const [name, option] of Object.entries<Option<unknown>>(OPTIONS)) {
    const flag = flagOf(name);
    const { about, fallback, placeholder } = option;
    const usual = fallback === undefined || placeholder === undefined ? '' : ` (default: ${fallback})`;
    if (placeholder === undefined) {
      if (fallback === true) command.addOption(new Flag(flag).hideHelp());
      command.option(fallback === true ? flag.replace('--', '--no-') : flag, about);
    } else command.option(`${flag} <${placeholder}>`, `${about}${usual}`);
    for (const alias of option.aliases) command.option(`${alias} <${placeholder}>`, `the same as ${flag}`);
  }
  return command;
}
