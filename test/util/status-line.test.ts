import { expect, test } from 'vitest';
import { statusLine, timeText } from '../../src/util/status-line.js';

class Screen {
  text = '';
  constructor(readonly columns?: number) {}
  write(text: string): void {
    this.text += text;
  }
}

test('on a terminal one line is overwritten, at most twice a second, and never longer than it', () => {
  let now = 0;
  const [screen, file] = [new Screen(10), new Screen()];
  const line = statusLine({ screen, file }, () => now);
  // What is over at once needs no line.
  line.show(() => 'too early');
  line.above('a log line\n');
  now = 500;
  line.show(() => '0123456789');
  now = 999;
  line.show(() => 'too early');
  line.above('another\n');
  now = 1_000;
  line.show(() => 'short');
  line.clear();
  line.clear();
  line.above('the last\n');
  const erase = '\r\x1b[K';
  expect(screen.text).toBe(`a log line\n${erase}012345678${erase}another\n012345678${erase}short${erase}the last\n`);
  expect(file.text).toBe('');
});

test('elsewhere it is a line every ten seconds, and nothing of terminals', () => {
  let now = 0;
  const file = new Screen();
  const line = statusLine({ screen: undefined, file }, () => now);
  for (now = 0; now <= 25_000; now += 1_000) line.show(() => `at ${now}`);
  line.above('a log line\n');
  line.clear();
  expect(file.text).toBe('at 10000\nat 20000\na log line\n');
});

test.each([
  [0, '0s'],
  [59, '59s'],
  [3_599, '59m59s'],
  [7_500, '2h05m'],
])('%i seconds are shown as %s', (seconds, text) => expect(timeText(seconds)).toBe(text));
