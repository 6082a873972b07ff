// A short way to write mutants of one file that the same tests concern.
export const inFile =
  (file, ...tests) =>
  (id, find, replace, breaks, more = {}) => ({ id, file, find, replace, breaks, tests, ...more });
