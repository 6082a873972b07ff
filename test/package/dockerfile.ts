/** What a Dockerfile's lines leave behind, without Docker: a folder per stage. */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Stage {
  /** Stands for `/`. */
  readonly root: string;
  workdir: string;
  readonly environment: Record<string, string>;
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
}

/** Does what a RUN line does, or throws for one that it does not know. */
export type RunLine = (line: string, stage: Stage) => void;

/**
 * Applies the lines of `root`/Dockerfile below `out`, with `root` for the context and `run` for its RUN lines; gives
 * the last stage. Throws for an instruction that it does not know.
 */
export function applyDockerfile(root: string, out: string, run: RunLine): Stage {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const [, instruction, rest] of instructions(readFileSync(join(root, 'Dockerfile'), 'utf8'))) {
    if (instruction === 'FROM') {
      const name = / AS (\S+)$/i.exec(rest)?.[1] ?? `${stages.size}`;
      stage = newStage(join(out, name));
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`${instruction} before FROM`);
    apply(instruction, rest, { stage, stages, root, run });
  }
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  return stage;
}

/** Instructions with their continued lines joined, comments left out. */
function instructions(text: string): RegExpMatchArray[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return [
    ...lines
      .join('\n')
      .replaceAll(/\\\n\s*/g, '')
      .matchAll(/^([A-Z]+) +(.*)$/gm),
  ];
}

function newStage(root: string): Stage {
  mkdirSync(root, { recursive: true });
  return { root, workdir: '/', environment: {}, entrypoint: [], command: [], healthcheck: [] };
}

interface Context {
  readonly stage: Stage;
  readonly stages: ReadonlyMap<string, Stage>;
  readonly root: string;
  readonly run: RunLine;
}

function apply(instruction: string, rest: string, context: Context): void {
  const { stage } = context;
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest;
      mkdirSync(join(stage.root, rest), { recursive: true });
      return;
    case 'COPY':
      copy(rest, context);
      return;
    case 'RUN':
      context.run(rest, stage);
      return;
    case 'ENV':
      for (const [, name, value] of rest.matchAll(/(\w+)=(\S+)/g)) stage.environment[name] = value;
      return;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      return;
    case 'CMD':
      stage.command = JSON.parse(rest) as string[];
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
      return;
    case 'USER':
    case 'VOLUME':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`the layout test does not know ${instruction}: teach it`);
  }
}

/** `COPY [--from=STAGE] SOURCE… TARGET`: files into a folder, a folder's content into a folder. */
function copy(rest: string, { stage, stages, root }: Context): void {
  const words = rest.split(/ +/);
  const from = /^--from=(.*)$/.exec(words[0])?.[1];
  const [target, ...sources] = (from === undefined ? words : words.slice(1)).reverse();
  const base = from === undefined ? root : stages.get(from)?.root;
  if (base === undefined) throw new Error(`no stage ${from}`);
  const into = join(stage.root, target.startsWith('/') ? '' : stage.workdir, target);
  mkdirSync(into, { recursive: true });
  for (const source of sources.reverse()) {
    const path = join(base, source);
    if (!existsSync(path)) throw new Error(`COPY ${source}: there is no such file`);
    if (source === '.') copyContext(root, into);
    else
      cpSync(path, lstatSync(path).isDirectory() ? into : join(into, basename(path)), {
        recursive: true,
        verbatimSymlinks: true,
      });
  }
}

/** The build's context, but for what .dockerignore names: entries of the top folder only. */
function copyContext(root: string, into: string): void {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  const patterns = ignored.map((line) => new RegExp(`^${line.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`));
  for (const name of readdirSync(root)) {
    if (patterns.some((pattern) => pattern.test(name))) continue;
    cpSync(join(root, name), join(into, name), { recursive: true, verbatimSymlinks: true });
  }
}
