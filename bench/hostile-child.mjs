// A hostile client of bench/serving.mjs in a process of its own.
import { connect } from 'node:net';
import { KINDS } from './hostile.mjs';

const { kind, port, address } = JSON.parse(process.argv[2]);
const { connections, first, again, reads } = KINDS[kind];

function open() {
  const socket = connect({ port, host: '127.0.0.1', localAddress: address });
  socket.on('error', () => undefined);
  socket.on('connect', () => socket.write(first));
  if (reads) socket.on('data', () => again !== undefined && socket.write(again));
  else if (again !== undefined) socket.on('drain', () => socket.write(again));
  // Whoever is cut off comes again.
  socket.on('close', () => setTimeout(open, 10));
}

for (let i = 0; i < connections; i++) open();
process.stdout.write('begun\n');
