// Asks servers of other indexes for values while the thread of the module sleeps (secondary.ts).
import { workerData } from 'node:worker_threads';
import { fromHex, toHex } from '../util/bytes.js';
import type { SecondaryAnswer, SecondaryQuestion, SecondarySetup } from './secondary.js';

/** For one attempt, and for all of them: a server that restarts is back by then. */
const ATTEMPT_MS = 10_000;
const PATIENCE_MS = 30_000;
const BETWEEN_MS = 200;
/** Hex of the longest value. */
const MOST_BYTES = 256 << 20;

const { port, answered } = workerData as SecondarySetup;

/** The server answers, and not with a value: asking again at once would change nothing. */
class Refused extends Error {}

async function ask({ url, key, height, hash }: SecondaryQuestion): Promise<Uint8Array | undefined> {
  const request = { jsonrpc: '2.0', id: 1, method: 'warpshrew_getvalue', params: ['S', toHex(key), height] };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
    signal: AbortSignal.timeout(ATTEMPT_MS),
  });
  const { result, error } = JSON.parse(await textOf(response)) as Record<string, unknown>;
  if (isRecord(error)) throw new Refused(String(error.message).slice(0, 200));
  if (!isRecord(result) || typeof result.hash !== 'string') throw new Refused('its answer is not one of warpshrew');
  if (result.hash !== `0x${hash}`) throw new Refused('it has another block at this height');
  if (result.value === null) return undefined;
  if (typeof result.value !== 'string') throw new Refused('its answer is not one of warpshrew');
  return fromHex(result.value);
}

async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    if (bytes > MOST_BYTES) throw new Refused('its answer is too long');
    parts.push(value);
  }
  return Buffer.concat(parts).toString('utf8');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Until there is a value, the server refuses, or the time is over. */
async function answer(question: SecondaryQuestion): Promise<SecondaryAnswer> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return { value: await ask(question) };
    } catch (error) {
      if (error instanceof Refused || performance.now() > until) {
        return { away: error instanceof Error ? error.message : String(error) };
      }
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
  }
}

port.on('message', async (question: SecondaryQuestion) => {
  port.postMessage(await answer(question));
  const cell = new Int32Array(answered);
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
});
