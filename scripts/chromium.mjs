// Starts a headless Chromium: Debian's (`apt-get install chromium`), or else the one that lies in a dependency.
import { existsSync } from 'node:fs';
import bundled from '@sparticuz/chromium';
import { chromium } from 'playwright-core';

/** Where Debian's package puts it. */
const INSTALLED = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--no-zygote',
  // WebGL without a GPU.
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
];

/** A browser, or why there is none: a text. */
export async function openChromium() {
  const faults = [];
  const places = [...(existsSync(INSTALLED) ? [async () => INSTALLED] : []), () => bundled.executablePath()];
  for (const place of places) {
    try {
      return await chromium.launch({ executablePath: await place(), args: ARGUMENTS, timeout: 0 });
    } catch (error) {
      faults.push(String(error).split('\n', 1)[0]);
    }
  }
  return faults.join('; ');
}
