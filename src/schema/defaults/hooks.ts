/**
 * Defaults that depend on something, by type. They run on values whose empty fields are already
 * dropped and whose constants are filled in, and before those of the types inside.
 */
import type { Json } from './json.ts';
import { accessHooks } from './access.ts';
import { networkHooks } from './network.ts';
import { podHooks } from './pods.ts';
import { workloadHooks } from './workloads.ts';

export interface DefaultHook {
  readonly apply: (value: Json) => void;
  /** Constant paths that the hook sets itself, because it must know whether they were given. */
  readonly replaces?: readonly string[];
}

export const defaultHooks: Readonly<Record<string, DefaultHook>> = {
  ...podHooks,
  ...workloadHooks,
  ...networkHooks,
  ...accessHooks,
};
