// Asks the server that a chain was forked from, for a thread that waits for the answer without going on.
import { workerData } from 'node:worker_threads';
import type { OriginSetup } from './origin.js';

/** A contract of the largest size in hex, some hundred times over. */
const MAX_ANSWER = 1 << 30;
const TIMEOUT_MS = 60_000;

const { url, port, wake } = workerData as OriginSetup;

async function ask(body: string): Promise<{ readonly text: string } | { readonly error: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const bytes = await response.arrayBuffer();
    if (bytes.byteLength > MAX_ANSWER) return { error: 'the answer is too long' };
    return { text: new TextDecoder().decode(bytes) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

port.on('message', (body: string) => {
  void ask(body).then((answer) => {
    port.postMessage(answer);
    Atomics.store(new Int32Array(wake), 0, 1);
    Atomics.notify(new Int32Array(wake), 0);
  });
});
