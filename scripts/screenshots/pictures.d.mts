import type { Browser } from 'playwright-core';

export const PICTURES: readonly string[];
export function takePictures(
  browser: Browser,
  url: string,
  out: string,
  names?: readonly string[],
): AsyncGenerator<string, void, void>;
