/**
 * Letters of upstream's generated names; a digit's character code modulo their number picks one.
 */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a with 32 bits over UTF-8. */
export function fnv1a(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** FNV-1 with 32 bits over UTF-8: multiplies before it mixes, as upstream hashes revisions. */
export function fnv1(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0;
  return hash;
}

/** A number as part of a name, as upstream's SafeEncodeString of its decimal text. */
export function encodeHash(hash: number): string {
  return Array.from(String(hash), (digit) => alphabet[digit.charCodeAt(0) % 27]).join('');
}

/**
 * The pod-template-hash of a template: stable for the same content and collision count. Not equal
 * to the one that upstream computes, which depends on how Go prints its structs.
 */
export function templateHash(template: unknown, collisionCount: number | undefined): string {
  let hash = fnv1a(sortedText(template));
  if (collisionCount !== undefined) hash = fnv1a(`#${collisionCount}`, hash);
  return encodeHash(hash);
}

/** JSON with sorted keys. */
export function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${sortedText(inner)}`);
  return `{${fields.join(',')}}`;
}
