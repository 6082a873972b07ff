import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { maskUserInfo } from '../errors/mask.js';
import { camelOf, type Given, type Origin, type Remark } from './given.js';
import { stripComments } from './json-comments.js';
import { BadValue, flagOf, type Option, variableOf } from './option.js';
import { OPTION_NAMES, OPTIONS, type OptionName, type Settings } from './options.js';
import { type FromRockshrew, fromRockshrew } from './rockshrew.js';
import { isServer, secondaryPlaces } from './secondary-gate.js';

/** Everything found, good or bad. `settings` hold the default wherever the value given is bad. */
export interface Config {
  readonly settings: Settings;
  readonly origins: Readonly<Record<OptionName, Origin>>;
  readonly problems: readonly Remark[];
  /** What was given in the way of rockshrew-mono and has no meaning here, or another one. */
  readonly notes: readonly Remark[];
}

export interface ConfigSources {
  /** As commander gives them: camelCase names, only those on the command line; `config` names the file. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: NodeJS.ProcessEnv;
}

/** Name of the flag and variable that name the file; not a setting itself. */
const FILE_FLAG = 'config';
/** A file of settings is a page at most. */
const MAX_FILE_BYTES = 1 << 20;

/**
 * Reads all settings: flags before the environment (`WARPSHREW_*`) before the file (JSON with comments) before the
 * defaults. Collects every problem instead of stopping at the first.
 */
export function readConfig(sources: ConfigSources): Config {
  const config = readSettings(sources);
  return { ...config, problems: [...config.problems, ...contradictions(config.settings, config.origins)] };
}

/** As {@link readConfig}, but that no source of blocks is needed, and none is looked at. */
function readSettings({ flags, environment }: ConfigSources): Config {
  const problems: Remark[] = [];
  const theirs = fromRockshrew(flags, environment);
  const file = readFile(flags, environment, problems);
  const known = new Set<string>([FILE_FLAG, ...OPTION_NAMES].map(variableOf));
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('WARPSHREW_') && !known.has(variable)) {
      problems.push({ origin: variable, reason: 'no setting of that name' });
    }
  }
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const name of OPTION_NAMES) {
    const option: Option<unknown> = OPTIONS[name];
    const given =
      fromFlags(name, flags, theirs.flags, problems) ??
      fromEnvironment(name, environment) ??
      theirs.environment.get(name) ??
      file?.get(name);
    values[name] = option.fallback;
    origins[name] = given?.origin ?? 'default';
    if (given === undefined) continue;
    try {
      values[name] = option.read(given.raw);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      problems.push({ origin: given.origin, reason: error.message });
    }
  }
  const config = { settings: values as Settings, origins: origins as Record<OptionName, Origin> };
  const { notes } = theirs;
  return { ...config, notes, problems };
}

/** The settings, or UsageError USAGE_CONFIG with every problem among its facts. */
export function requireConfig(sources: ConfigSources): Config {
  return required(readConfig(sources));
}

/** As {@link requireConfig}, for whoever serves a database and indexes nothing. */
export function requireServing(sources: ConfigSources): Config {
  return required(readSettings(sources));
}

function required(config: Config): Config {
  if (config.problems.length === 0) return config;
  throw new UsageError('USAGE_CONFIG', 'the settings are not usable', {
    facts: Object.fromEntries(problemLines(config.problems)),
    hint: '`warpshrew config check` shows every setting and where it comes from.',
  });
}

/** Problems by origin, those of one origin in one line, without passwords of addresses. */
export function problemLines(problems: readonly Remark[]): Map<string, string> {
  const lines = new Map<string, string>();
  for (const { origin, reason } of problems) {
    const before = lines.get(origin);
    const shown = maskUserInfo(reason);
    lines.set(origin, before === undefined ? shown : `${before}; ${shown}`);
  }
  return lines;
}

/** User and password of the node, or a token, from `--auth` or their own settings. */
export function nodeLogin(
  settings: Settings,
): { readonly user: string; readonly password: string } | { readonly bearer: string } | undefined {
  if (settings.auth !== undefined) {
    const colon = settings.auth.indexOf(':');
    if (colon < 0) return { bearer: settings.auth };
    return { user: settings.auth.slice(0, colon), password: settings.auth.slice(colon + 1) };
  }
  if (settings.nodeUser === undefined || settings.nodePassword === undefined) return undefined;
  return { user: settings.nodeUser, password: settings.nodePassword };
}

/** `theirs`: what flags of rockshrew-mono give; for one of the same name, how it is to be taken. */
function fromFlags(
  name: OptionName,
  flags: ConfigSources['flags'],
  theirs: FromRockshrew['flags'],
  problems: Remark[],
): Given | undefined {
  const flag = flagOf(name);
  const raw = flags[camelOf(flag)];
  const taken = theirs.get(name);
  if (raw === undefined) return taken;
  if (taken !== undefined && taken.origin !== flag) {
    problems.push({ origin: taken.origin, reason: `means the same as ${flag}: give one of them` });
  } else if (theirs.has(name)) return taken;
  return { origin: raw === false ? flag.replace('--', '--no-') : flag, raw };
}

function fromEnvironment(name: OptionName, environment: NodeJS.ProcessEnv): Given | undefined {
  const origin = variableOf(name);
  const raw = environment[origin];
  return raw === undefined ? undefined : { origin, raw };
}

function readFile(
  flags: ConfigSources['flags'],
  environment: NodeJS.ProcessEnv,
  problems: Remark[],
): Map<string, Given> | undefined {
  const named = flags[FILE_FLAG] ?? environment[variableOf(FILE_FLAG)];
  if (typeof named !== 'string') return undefined;
  const wrong = (reason: string): undefined => {
    problems.push({ origin: named, reason });
    return undefined;
  };
  let content: unknown;
  try {
    if (statSync(named).size > MAX_FILE_BYTES) return wrong('is longer than 1 MiB');
    content = JSON.parse(stripComments(readFileSync(named, 'utf8')));
  } catch (error) {
    // Without the piece of the file that the message quotes: there may be a password in it.
    if (error instanceof SyntaxError) return wrong(`is not JSON: ${error.message.split(/,? \.{0,3}"/, 1)[0]}`);
    return wrong(`cannot be read: ${String(error)}`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return wrong('is not a JSON object');
  const given = new Map<string, Given>();
  for (const [key, raw] of Object.entries(content)) {
    const origin = `${named}: ${key}`;
    if (Object.hasOwn(OPTIONS, key)) given.set(key, { origin, raw });
    else problems.push({ origin, reason: 'no setting of that name' });
  }
  return given;
}

/** What is wrong between settings, and with the paths they name. */
function contradictions(of: Settings, origins: Readonly<Record<OptionName, Origin>>): Remark[] {
  const problems: Remark[] = [];
  const wrong = (name: OptionName, reason: string): void => void problems.push({ origin: originOf(name), reason });
  const originOf = (name: OptionName): Origin => (origins[name] === 'default' ? flagOf(name) : origins[name]);
  if (of.nodeUrl === undefined && of.fixture === undefined && of.blocksDir === undefined) {
    wrong('nodeUrl', 'name a node, or the block files of one with --blocks-dir, or a chain with --fixture');
  }
  if (of.fixture !== undefined) {
    for (const name of ['nodeUrl', 'blocksDir', 'zmq'] as const) {
      if (of[name] !== undefined) wrong(name, 'cannot be used together with --fixture');
    }
  } else if (of.zmq !== undefined && of.nodeUrl === undefined) wrong('zmq', 'needs --node-url as well');
  if (of.nodeUrl !== undefined && new URL(of.nodeUrl).username + new URL(of.nodeUrl).password !== '') {
    wrong('nodeUrl', 'give user and password as settings of their own, not in the address');
  }
  if (of.sink !== undefined && new URL(of.sink).searchParams.has('password')) {
    wrong('sink', 'give the password before the host (user:password@host) or as PGPASSWORD, not as a parameter');
  }
  for (const name of ['nodeUser', 'nodePassword', 'nodeCookie'] as const) {
    if (of.auth !== undefined && of[name] !== undefined) wrong(name, 'cannot be used together with --auth');
  }
  if (of.nodeCookie !== undefined && of.nodePassword !== undefined) {
    wrong('nodeCookie', 'cannot be used together with --node-password');
  }
  if (of.nodeUser !== undefined && of.nodePassword === undefined) wrong('nodeUser', 'needs --node-password as well');
  if (of.nodePassword !== undefined && of.nodeUser === undefined) wrong('nodePassword', 'needs --node-user as well');
  if (of.exitAt !== undefined && of.exitAt <= of.startBlock) wrong('exitAt', 'must be above --start-block');
  if (of.policy === 'gpu' && !of.gpu) wrong('gpu', 'policy gpu needs a GPU');
  if (of.gpuServer !== undefined && !of.gpu) wrong('gpuServer', 'cannot be used together with --no-gpu');
  for (const name of ['gpuTokenFile', 'gpuTimeout'] as const) {
    if (of[name] !== undefined && of.gpuServer === undefined) wrong(name, 'needs --gpu-server as well');
  }
  if (of.skipBadBlock) {
    wrong(
      'skipBadBlock',
      'refused: every later state would be built on one that no other indexer has; repair the module and index again',
    );
  }
  for (const place of Object.values(secondaryPlaces(of.secondary) ?? {})) {
    if (!isServer(place) && resolve(place) === resolve(of.db)) wrong('secondary', `${place} is the folder of --db`);
  }
  for (const name of ['indexer', 'fixture', 'blocksDir', 'snapshotKey', 'repoKey'] as const) {
    const path = of[name];
    if (path !== undefined && !existsSync(path)) wrong(name, `there is nothing at ${path}`);
  }
  return problems;
}
