#!/usr/bin/env node
// Old versions of Node.js get no further than this line, so nothing that they could fail at is loaded before it.
import './cli/node-version.js';
import './cli/quiet-drivers.js';

await import('./cli/main.js');
