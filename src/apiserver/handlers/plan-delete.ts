import { formatTime } from '#base/clock.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { KindHooks } from '../kinds/kind-hooks.ts';
import type { DeleteOptions } from './delete-options.ts';

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';

/** What becomes of dependents when nobody says; events cannot have any. */
export type DefaultPropagation = 'Background' | 'Orphan' | 'Unsupported';

/** What a delete request does to an object. */
export interface DeletePlan {
  /** The object as it becomes, when it changes: a fresh top level and metadata, the rest shared. */
  readonly changed: UnknownObject | undefined;
  readonly isRemoved: boolean;
}

/**
 * Decides between removal at once, waiting for a grace period and waiting for finalizers, by the
 * rules of upstream's registry: a running deletion can only be made faster.
 */
export function planDelete(init: {
  object: UnknownObject;
  options: DeleteOptions;
  hooks: KindHooks;
  defaultPropagation: DefaultPropagation;
  nowMs: number;
}): DeletePlan {
  const { object, hooks, nowMs } = init;
  const options = withShortestGrace(init.options);
  const metadata = { ...object.metadata };
  const changed: UnknownObject = { ...object, metadata };
  const grace = graceOf(object, options, hooks, nowMs);
  // once it is waited for, how to go on with dependents cannot be said any more
  if (grace.isPending && grace.deletion === undefined) {
    return { changed: undefined, isRemoved: false };
  }
  let isChanged = setFinalizers(metadata, options, init.defaultPropagation);
  if (grace.deletion !== undefined) {
    metadata.deletionTimestamp = grace.deletion.timestamp;
    metadata.deletionGracePeriodSeconds = grace.deletion.seconds;
    isChanged = true;
    if (object.metadata.deletionTimestamp === undefined && (metadata.generation ?? 0) > 0) {
      metadata.generation = (metadata.generation as number) + 1;
    }
  }
  const wasDeleting = object.metadata.deletionTimestamp !== undefined;
  const mustStay = hooks.beginDelete?.(changed) === true;
  const isHeld = (metadata.finalizers?.length ?? 0) > 0 || mustStay;
  if (!isHeld && !grace.isPending) {
    return { changed: isChanged ? changed : undefined, isRemoved: true };
  }
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = formatTime(nowMs);
    // a namespace waits for its content, not for time
    if (!mustStay) metadata.deletionGracePeriodSeconds = 0;
    if ((metadata.generation ?? 0) > 0) metadata.generation = (metadata.generation as number) + 1;
    isChanged = true;
  }
  return { changed: isChanged || !wasDeleting ? changed : undefined, isRemoved: false };
}

/** Negative periods mean the shortest one. */
function withShortestGrace(options: DeleteOptions): DeleteOptions {
  const { gracePeriodSeconds: seconds } = options;
  return seconds !== undefined && seconds < 0 ? { ...options, gracePeriodSeconds: 1 } : options;
}

interface Grace {
  /** New deletionTimestamp and period to set. */
  deletion?: { timestamp: string; seconds: number };
  /** The object is still to be waited for. */
  isPending: boolean;
}

function graceOf(
  object: UnknownObject,
  options: DeleteOptions,
  hooks: KindHooks,
  nowMs: number,
): Grace {
  const { deletionTimestamp, deletionGracePeriodSeconds: current } = object.metadata;
  if (hooks.gracePeriodSeconds === undefined) return { isPending: false };
  const { gracePeriodSeconds: requested } = options;
  if (deletionTimestamp === undefined) {
    const seconds = Math.max(0, hooks.gracePeriodSeconds(object, requested));
    const timestamp = formatTime(nowMs + seconds * 1000);
    return { deletion: { timestamp, seconds }, isPending: seconds > 0 };
  }
  if (current === undefined) return { isPending: false };
  if (requested === undefined || requested >= current) return { isPending: current > 0 };
  const seconds = Math.max(0, requested);
  const startMs = Date.parse(deletionTimestamp) - current * 1000;
  const timestamp = formatTime(startMs + seconds * 1000);
  return { deletion: { timestamp, seconds }, isPending: seconds > 0 };
}

/** Adds or removes the finalizers that tell the garbage collector what to do with dependents. */
function setFinalizers(
  metadata: UnknownObject['metadata'],
  options: DeleteOptions,
  defaultPropagation: DefaultPropagation,
): boolean {
  const before = metadata.finalizers ?? [];
  const isPossible = defaultPropagation !== 'Unsupported';
  const wants: Readonly<Record<string, boolean>> = {
    [orphanFinalizer]: isPossible && wantsOrphan(before, options, defaultPropagation),
    [foregroundFinalizer]: isPossible && wantsForeground(before, options),
  };
  const kept = before.filter((finalizer) => wants[finalizer] !== false);
  const added = Object.keys(wants).filter((name) => wants[name] === true && !kept.includes(name));
  if (added.length === 0 && kept.length === before.length) return false;
  const finalizers = [...kept, ...added];
  if (finalizers.length === 0) delete metadata.finalizers;
  else metadata.finalizers = finalizers;
  return true;
}

function wantsOrphan(
  finalizers: readonly string[],
  { orphanDependents, propagationPolicy }: DeleteOptions,
  defaultPropagation: DefaultPropagation,
): boolean {
  if (orphanDependents !== undefined) return orphanDependents;
  if (propagationPolicy !== undefined) return propagationPolicy === 'Orphan';
  const standard = finalizers.find(isStandard);
  if (standard !== undefined) return standard === orphanFinalizer;
  return defaultPropagation === 'Orphan';
}

function wantsForeground(
  finalizers: readonly string[],
  { orphanDependents, propagationPolicy }: DeleteOptions,
): boolean {
  if (orphanDependents !== undefined) return false;
  if (propagationPolicy !== undefined) return propagationPolicy === 'Foreground';
  return finalizers.find(isStandard) === foregroundFinalizer;
}

function isStandard(finalizer: string): boolean {
  return finalizer === orphanFinalizer || finalizer === foregroundFinalizer;
}
