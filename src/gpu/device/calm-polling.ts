import { setTimeout as later } from 'node:timers';

/** Questions that follow each other at once: a small batch is done by then. */
const AT_ONCE = 100;
/** Milliseconds between two questions after those. */
const PAUSE_MS = 1;

const NATIVE = /^function \(\) \{ \[native code\] \}$/;

let calm = false;

/**
 * Lets the event loop rest while a software driver works. Dawn's binding asks for the device's events in every turn of
 * the loop as long as anything is under way, through the global `setImmediate`. That keeps a core busy for the whole
 * compilation of a kernel, and a software driver needs that core itself. From now on Dawn asks every millisecond, once
 * it has asked often enough at once. Everything else that calls `setImmediate` is served as before.
 */
export function pollCalmly(): void {
  if (calm) return;
  calm = true;
  let asking = false;
  let asked = 0;
  globalThis.setImmediate = new Proxy(globalThis.setImmediate, {
    apply(setImmediate, self, args: Parameters<typeof globalThis.setImmediate>) {
      const [ask] = args;
      if (!isNativeCallback(ask)) return Reflect.apply(setImmediate, self, args);
      // What is asked for from elsewhere begins a new piece of work.
      asked = asking ? asked + 1 : 0;
      const next = (): void => {
        asking = true;
        try {
          ask();
        } finally {
          asking = false;
        }
      };
      return asked < AT_ONCE ? setImmediate(next) : later(next, PAUSE_MS);
    },
  });
}

/** Whether an addon made this function. JavaScript's own native ones have no prototype, as what resolves a promise. */
function isNativeCallback(callback: unknown): callback is () => void {
  if (typeof callback !== 'function' || callback.name !== '' || !Object.hasOwn(callback, 'prototype')) return false;
  return NATIVE.test(Function.prototype.toString.call(callback));
}
