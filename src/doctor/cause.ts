import { WarpshrewError } from '../errors/errors.js';

/** One line that says what an error is about: its code where it has one, and what the system said. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof WarpshrewError ? `${error.code}: ${error.message}` : error.message;
  const why = error instanceof WarpshrewError ? error.facts.reason : undefined;
  const parts = [own, why, error.cause instanceof Error ? error.cause.message : undefined];
  let said = '';
  for (const part of parts) {
    // As a rule the message or the reason says already what the cause says.
    const text = String(part ?? '').trim();
    if (!said.includes(text)) said = said === '' ? text : `${said}: ${text}`;
  }
  return said.split('\n')[0];
}
