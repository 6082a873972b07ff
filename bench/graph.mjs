// How fluid the explorer's picture of a conflict graph is in a headless Chromium, which draws with the processor: the
// block's page from the first request to the picture, and the time between two frames while nothing moves, while the
// pointer crosses the picture, while it is dragged, and while it is zoomed.
//   npm run build && node bench/graph.mjs [--transactions 5000] [--counters 400] [--json]
// The block's transactions call the probe: increments of counters, and reads of pointers that others set. `script` is
// what the page itself takes for a frame; the rest is drawing, a GPU's work where there is one, and waiting for it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spreadOf } from '../dist/selftest/bench/spread.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';
import { genesisBlock, makeBlock } from '../dist/testing/chains/synthetic-chain.js';
import { builtPrograms } from '../dist/util/built-wasm.js';
import { openChromium } from '../scripts/chromium.mjs';
import { callOf, creationOf } from './attacks/transactions.mjs';
import { IndexRun } from './index-run.mjs';

const { values: args } = parseArgs({
  options: {
    transactions: { type: 'string', default: '5000' },
    counters: { type: 'string', default: '400' },
    json: { type: 'boolean', default: false },
  },
});
const [count, counters] = [Number(args.transactions), Number(args.counters)];
const HEIGHT = 2;
const [INCREMENT, SET_POINTER, FOLLOW_POINTER] = [4, 5, 6];
/** Steps of the pointer, each in a frame of its own. */
const STEPS = 40;

const folder = mkdtempSync(join(tmpdir(), 'warpshrew-graph-'));
const node = await FakeNode.start(chain());
const run = new IndexRun(node.url, join(folder, 'db'), ['--keep-undo', '10']);
const browser = await openChromium();
try {
  if (typeof browser === 'string') throw new Error(`no Chromium starts: ${browser}`);
  const url = await run.serving;
  while (run.blocks.length <= HEIGHT) await new Promise((resolve) => setTimeout(resolve, 50));
  const figures = await look(url);
  process.stdout.write(args.json ? `${JSON.stringify(figures)}\n` : text(figures));
} finally {
  if (typeof browser !== 'string') await browser.close();
  await run.kill();
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A block that creates the probe, and one that calls it. */
function chain() {
  const blocks = [genesisBlock()];
  const add = (transactions) => {
    const bytes = transactions.map((transaction) => transaction.bytes);
    blocks.push(makeBlock(blocks.length, blocks[blocks.length - 1].hash, bytes));
  };
  add([creationOf(builtPrograms().probe)]);
  add(Array.from({ length: count }, (_, at) => callOf(1, inputsOf(at))));
  return blocks;
}

function inputsOf(at) {
  const counter = (at * 7_919) % counters;
  if (at % 5 === 0) return [SET_POINTER, counter, (at * 31) % counters];
  return at % 5 === 1 ? [FOLLOW_POINTER, counter] : [INCREMENT, counter];
}

async function look(url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: 'en-US' });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  const session = await context.newCDPSession(page);
  await session.send('Profiler.enable');
  const begun = performance.now();
  await page.goto(`${url}/#/block/${HEIGHT}`);
  const place = page.locator('.graph-place');
  await place.locator('canvas').first().waitFor();
  const shown = Math.round(performance.now() - begun);
  await page.waitForFunction(() => document.querySelector('.loading') === null);
  await place.scrollIntoViewIfNeeded();
  const [nodes, edges] = (await place.getAttribute('aria-label')).match(/\d[\d,]*/g);
  const { x, y, width, height } = await place.boundingBox();
  const at = (step) => [x + width * (0.1 + (0.8 * step) / STEPS), y + height * (0.5 + 0.3 * Math.sin(step / 3))];
  const figures = { shown, nodes, edges };
  figures.still = await framesOf(page, session, () => nextFrame(page));
  figures.crossing = await framesOf(page, session, (step) => page.mouse.move(...at(step)));
  await page.mouse.move(...at(STEPS / 2));
  await page.mouse.down();
  figures.dragging = await framesOf(page, session, (step) => page.mouse.move(...at(STEPS / 2 + step / 4)));
  await page.mouse.up();
  figures.zooming = await framesOf(page, session, (step) => page.mouse.wheel(0, step % 10 < 5 ? -120 : 120));
  return figures;
}

function nextFrame(page) {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve())));
}

/** Milliseconds between two frames, and of script in each, over the steps. */
async function framesOf(page, session, step) {
  await page.evaluate(() => {
    const frames = [];
    globalThis.frames_ = frames;
    let last;
    const tick = (now) => {
      if (last !== undefined) frames.push(now - last);
      last = now;
      globalThis.request_ = requestAnimationFrame(tick);
    };
    globalThis.request_ = requestAnimationFrame(tick);
  });
  await session.send('Profiler.start');
  for (let at = 0; at < STEPS; at++) {
    await step(at);
    await nextFrame(page);
  }
  const took = scriptMs((await session.send('Profiler.stop')).profile);
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(globalThis.request_);
    return globalThis.frames_;
  });
  const sorted = [...frames].sort((a, b) => a - b);
  const p95 = Math.round(sorted[Math.floor(sorted.length * 0.95)]);
  return { frames: frames.length, ...spreadOf(frames), p95, script: Math.round((100 * took) / frames.length) / 100 };
}

/** Milliseconds of script in a profile, without waiting for what is drawn: the pixel at the pointer is read back. */
function scriptMs({ nodes, samples, timeDeltas }) {
  const waits = ['(root)', '(idle)', '(program)', 'readPixels'];
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
  return samples.reduce((sum, id, at) => sum + (waits.includes(names.get(id)) ? 0 : timeDeltas[at]), 0) / 1_000;
}

function text({ shown, nodes, edges, ...moves }) {
  const lines = Object.entries(moves).map(
    ([name, { median, p95, most, script, frames }]) =>
      `${name}: ${Math.round(median)} ms a frame, ${p95} for 95 of 100, ${Math.round(most)} at most; ` +
      `script ${script} (${frames} frames)`,
  );
  return [`${nodes} transactions, ${edges} edges: shown after ${shown} ms`, ...lines, ''].join('\n');
}
