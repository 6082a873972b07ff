/** Answers to many questions that are asked at once. */

/**
 * What `read` makes of `count` answers, in their order; `ask` is called for each and hears them in any. The first
 * failure rejects, and lets go of all that was read: with Promise.all it would live as long as the last answer is
 * waited for, and the block that was given up for its size runs meanwhile.
 */
export function collect<A, R>(
  count: number,
  read: (answer: A) => R,
  ask: (i: number, resolve: (answer: A) => void, reject: (error: unknown) => void) => void,
): Promise<R[]> {
  return new Promise((resolve, reject) => {
    let found: R[] | undefined = new Array<R>(count);
    let left = count;
    if (left === 0) resolve([]);
    const fail = (error: unknown): void => {
      found = undefined;
      reject(error);
    };
    const settle = (i: number, answer: A): void => {
      if (found === undefined) return;
      try {
        found[i] = read(answer);
      } catch (error) {
        fail(error);
        return;
      }
      left -= 1;
      if (left === 0) resolve(found);
    };
    for (let i = 0; i < count; i++) ask(i, (answer) => settle(i, answer), fail);
  });
}
