/** Builds of a folder by what they understand. */
import { ProgramError } from '../../../errors/errors.js';
import type { CpuRunner } from '../../../execute/tasks/drive.js';
import { prepareProgram } from '../../../program/prepare.js';
import type { MetaMethod } from '../../contracts/arguments.js';
import { type Build, looksLikeContract } from '../../contracts/builds.js';
import { metaOf } from '../../contracts/meta.js';

export interface KnownBuild extends Build {
  readonly methods: readonly MetaMethod[];
}

export class Catalogue {
  readonly #builds: readonly KnownBuild[];

  /** Builds that the rules refuse, or without a usable `__meta`, are left out. */
  constructor(builds: readonly Build[], runner: CpuRunner) {
    this.#builds = builds.filter(({ wasm }) => looksLikeContract(wasm)).flatMap((build) => known(build, runner));
  }

  get all(): readonly KnownBuild[] {
    return this.#builds;
  }

  /** Those whose name fits and that have all these methods, ordered by name. */
  named(name: RegExp, ...methods: readonly string[]): KnownBuild[] {
    return this.#builds.filter((build) => {
      return name.test(build.name) && methods.every((method) => build.methods.some(({ name: of }) => of === method));
    });
  }
}

function known(build: Build, runner: CpuRunner): KnownBuild[] {
  try {
    prepareProgram(build.wasm, build.hash);
  } catch (error) {
    if (error instanceof ProgramError) return [];
    throw error;
  }
  const methods = metaOf(build.wasm, runner);
  return typeof methods === 'string' ? [] : [{ ...build, methods }];
}

/** Number of parameters of a method; undefined if there is none of that name. */
export function parametersOf({ methods }: KnownBuild, name: string): number | undefined {
  return methods.find((method) => method.name === name)?.parameters.length;
}
