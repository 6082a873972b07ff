import { expect, test } from 'vitest';
import { InputError } from '../../src/errors/errors.js';
import { maskUserInfo } from '../../src/errors/mask.js';
import { failureOf } from '../../src/service/events.js';

test.each([
  ['http://user:hunter2@127.0.0.1:8332/', 'http://***@127.0.0.1:8332/'],
  ['http://hunter2@host', 'http://***@host'],
  ['at https://u:hun@ter2@host/path, then', 'at https://***@host/path, then'],
  ['{"url":"http://u:hunter2@h","other":"a@b"}', '{"url":"http://***@h","other":"a@b"}'],
  ['{"url":"http://u:hun\\"ter2@h"}', '{"url":"http://***@h"}'],
  ['tcp://a:1,tcp://u:hunter2@b:2', 'tcp://***@b:2'],
  ['<http://u:hunter2@h> http://v:hunter2@i', '<http://***@h> http://***@i'],
])('%s loses its user info', (text, masked) => {
  expect(maskUserInfo(text)).toBe(masked);
});

test.each(['http://127.0.0.1:8332', 'me@example.org', 'tcp://host:1,tcp://host:2', 'a://', '://@ no', ''])(
  '%j is left as it is, or has nothing to lose',
  (text) => {
    expect(maskUserInfo(text)).toBe(text.replace('://@', '://***@'));
  },
);

test('long text without an end takes no longer than its length', () => {
  const text = `${'://'.repeat(1_000_000)}@${'a'.repeat(1_000_000)}`;
  expect(maskUserInfo(text)).toBe(`://***@${'a'.repeat(1_000_000)}`);
});

test('no error carries user info, whatever it was made with', () => {
  const facts = { url: 'http://u:hunter2@h', height: 5, big: 7n };
  const error = new InputError('FILE_UNREADABLE', 'not at http://u:hunter2@h', {
    facts,
    hint: 'try http://u:hunter2@h',
  });
  expect(error.facts).toEqual({ url: 'http://***@h', height: 5, big: 7n });
  for (const text of [error.message, error.explain(), JSON.stringify(failureOf(new Error(error.message)))]) {
    expect(text).not.toContain('hunter2');
  }
  expect(JSON.stringify(failureOf(new TypeError('http://u:hunter2@h')))).not.toContain('hunter2');
});
