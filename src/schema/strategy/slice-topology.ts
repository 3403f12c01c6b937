import type { EndpointSlice } from '../generated/types.ts';
import type { UnknownObject } from '../object.ts';
import { jsonEqual } from '../patch/json-equal.ts';

const hostname = 'kubernetes.io/hostname';

/**
 * deprecatedTopology cannot be written: it stays while nobody touches the endpoints, and then only
 * the node name that it held is kept, as upstream. Changes the endpoints of `object` in place.
 */
export function dropTopology(object: UnknownObject, old: UnknownObject | undefined): void {
  const slice = object as unknown as EndpointSlice;
  const stored = old as unknown as EndpointSlice | undefined;
  if (stored !== undefined && jsonEqual(slice.endpoints, stored.endpoints)) return;
  const nodes = new Set(
    (stored?.endpoints ?? []).map(({ deprecatedTopology }) => deprecatedTopology?.[hostname]),
  );
  for (const endpoint of slice.endpoints ?? []) {
    const node = endpoint.deprecatedTopology?.[hostname];
    if (node !== undefined && nodes.has(node)) endpoint.nodeName ??= node;
    delete endpoint.deprecatedTopology;
  }
}
