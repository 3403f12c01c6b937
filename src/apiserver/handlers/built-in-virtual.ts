import type { Core } from '../core.ts';
import type { VirtualCreate } from '../virtual-resource.ts';
import { bindPod } from './binding.ts';
import { evictPod } from './eviction.ts';

/** The creates that change pods instead of storing what was sent. */
export function builtInVirtualResources(core: Core): ReadonlyMap<string, VirtualCreate> {
  return new Map<string, VirtualCreate>([
    ['bindings', (object, context) => bindPod(core, object, context)],
    ['pods/binding', (object, context) => bindPod(core, object, context)],
    ['pods/eviction', (object, context) => evictPod(core, object, context)],
  ]);
}
