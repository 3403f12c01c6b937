import type { KindHooks } from './kind-hooks.ts';

/** A limit range without a name gets one that nobody chose, as upstream since its first version. */
export const limitRangeHooks: KindHooks = {
  beforeCreate({ metadata }) {
    if ((metadata.name ?? '') === '') metadata.name = metadata.uid ?? '';
  },
};
