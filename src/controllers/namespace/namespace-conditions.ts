import { formatTime } from '#base/clock.ts';
import type { NamespaceCondition } from '#schema/types.ts';
import { discoveryFailureText } from './failed-groups.ts';
import type { ContentLeft } from './namespace-content.ts';

interface Verdict {
  readonly type: string;
  readonly isBad: boolean;
  readonly reason: string;
  readonly message: string;
}

/** The five conditions of a namespace that goes away, in upstream's order and words. */
export function deletionConditions(
  old: readonly NamespaceCondition[],
  left: ContentLeft,
  unknownGroups: readonly string[],
  nowMs: number,
): NamespaceCondition[] {
  const own = verdicts(left, unknownGroups);
  const others = old.filter(({ type }) => !own.some((verdict) => verdict.type === type));
  return [
    ...others,
    ...own.map(({ type, isBad, reason, message }) => {
      const status = isBad ? 'True' : 'False';
      const before = old.find((condition) => condition.type === type);
      const lastTransitionTime =
        before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
      return { type, status, reason, message, lastTransitionTime };
    }),
  ];
}

function verdicts(left: ContentLeft, unknownGroups: readonly string[]): Verdict[] {
  const remaining = [...left.remaining].sort(([a], [b]) => (a < b ? -1 : 1));
  const finalizers = [...left.finalizers].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      isBad: unknownGroups.length > 0,
      ...(unknownGroups.length > 0
        ? {
            reason: 'DiscoveryFailed',
            message: `Discovery failed for some groups, ${unknownGroups.length} failing: ${discoveryFailureText(unknownGroups)}`,
          }
        : {
            reason: 'ResourcesDiscovered',
            message: 'All resources successfully discovered',
          }),
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      isBad: false,
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      isBad: left.errors.length > 0,
      ...(left.errors.length > 0
        ? {
            reason: 'ContentDeletionFailed',
            message: `Failed to delete all resource types, ${left.errors.length} remaining: ${left.errors.toSorted().join(', ')}`,
          }
        : {
            reason: 'ContentDeleted',
            message: 'All content successfully deleted, may be waiting on finalization',
          }),
    },
    {
      type: 'NamespaceContentRemaining',
      isBad: remaining.length > 0,
      ...(remaining.length > 0
        ? {
            reason: 'SomeResourcesRemain',
            message: `Some resources are remaining: ${remaining
              .map(([resource, count]) => `${resource} has ${count} resource instances`)
              .join(', ')}`,
          }
        : { reason: 'ContentRemoved', message: 'All content successfully removed' }),
    },
    {
      type: 'NamespaceFinalizersRemaining',
      isBad: finalizers.length > 0,
      ...(finalizers.length > 0
        ? {
            reason: 'SomeFinalizersRemain',
            message: `Some content in the namespace has finalizers remaining: ${finalizers
              .map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
              .join(', ')}`,
          }
        : {
            reason: 'ContentHasNoFinalizers',
            message: 'All content-preserving finalizers finished',
          }),
    },
  ];
}
