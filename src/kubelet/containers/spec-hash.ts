import type { AnyContainer } from '../pods/names.ts';

/**
 * Tells whether a running container still is what its spec asks for. Only name and image count:
 * nothing else of a container can change without a new pod. The same number as upstream's kubelet
 * notes (FNV-1a of a dump of the bytes of JSON, as Go's types are printed), so that containers
 * started by k3s go on when k3ts takes their node over.
 */
export function containerHash({ name, image = '' }: AnyContainer): string {
  const bytes = Buffer.from(goJson({ image, name }));
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`([]uint8)[${bytes.join(' ')}]`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

/** Go writes these characters of texts as code points. */
function goJson(value: object): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
