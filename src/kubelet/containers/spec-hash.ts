import type { AnyContainer } from '../pods/names.ts';

/**
 * Tells whether a running container still is what its spec asks for. Only name and image count, as
 * upstream: nothing else of a container can change without a new pod.
 */
export function containerHash({ name, image = '' }: AnyContainer): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(JSON.stringify({ name, image }))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}
