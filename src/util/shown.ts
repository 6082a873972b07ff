/**
 * At most `most` characters that tell what somebody sent instead of what was wanted: texts as they are, all else as
 * JSON. An object may bring a member of its own in the place of any method, so none of its methods is called.
 */
export function shown(value: unknown, most: number): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).slice(0, most);
}
