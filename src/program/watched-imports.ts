import type { EnvName } from './env.js';
import type { FrameMemory } from './frame-memory.js';
import type { HostFunctions } from './host-functions.js';
import { RunStop } from './run-stop.js';

/** The frame of a host call, as it is when it is asked. */
export type WatchedFrame = Pick<HostFunctions, 'depth' | 'fuelLeft'> & { readonly memory: FrameMemory };

/** Why a host call ended its run; `inside`: a frame below failed, or the machine did. */
export type WatchedStop = RunStop['reason'] | 'inside';

/** Hears of every host call of a runner's runs. It must not change anything. */
export interface HostCallWatch {
  /** A call begins; gives what names it at its end, undefined if nobody wants to hear of that. */
  begun(name: EnvName, given: readonly (number | bigint)[], frame: WatchedFrame): number | undefined;
  ended(call: number, result: number | undefined, frame: WatchedFrame): void;
  stopped(call: number, why: WatchedStop, frame: WatchedFrame): void;
}

/** The imports of `functions`; `watch` hears of each call. */
export function watchedImports(functions: HostFunctions, watch: HostCallWatch | undefined): WebAssembly.ModuleImports {
  const imports = functions.imports();
  if (watch === undefined) return imports;
  const watched = Object.entries(imports).map(([name, act]) => {
    return [name, watchedCall(name as EnvName, act as HostCall, functions, watch)] as const;
  });
  return Object.fromEntries(watched);
}

type HostCall = (...given: (number | bigint)[]) => number | undefined;

function watchedCall(name: EnvName, act: HostCall, frame: WatchedFrame, watch: HostCallWatch): HostCall {
  return (...given) => {
    const call = watch.begun(name, given, frame);
    if (call === undefined) return act(...given);
    let result: number | undefined;
    try {
      result = act(...given);
    } catch (error) {
      watch.stopped(call, error instanceof RunStop ? error.reason : 'inside', frame);
      throw error;
    }
    watch.ended(call, result, frame);
    return result;
  };
}
