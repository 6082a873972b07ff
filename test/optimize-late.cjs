// Runs at the start of each process that tests start, and of theirs (`--require` in NODE_OPTIONS, see
// vitest.config.ts). Most of them live for a few seconds, and V8 spent up to a third of their time on optimizing
// functions that were soon done. So it waits until a function has run fifteen times longer than by default.
require('node:v8').setFlagsFromString('--interrupt-budget=1000000');
