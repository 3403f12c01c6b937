import type { UnknownObject } from '#schema/mod.ts';
import type { ResourceSlice } from '#schema/types.ts';
import type { HookScope, KindHooks } from './kind-hooks.ts';

/** Taints of devices carry the second in which they came. */
export const resourceSliceHooks: KindHooks = {
  beforeCreate: (object, scope) => stampTaints(object, scope),
  beforeUpdate: (object, _old, scope) => stampTaints(object, scope),
};

function stampTaints(object: UnknownObject, { nowMs }: HookScope): void {
  const { spec } = object as unknown as ResourceSlice;
  for (const { taints } of spec?.devices ?? []) {
    for (const taint of taints ?? []) {
      taint.timeAdded ??= new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    }
  }
}
