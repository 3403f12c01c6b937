import type { ResourceInfo } from '#schema/mod.ts';
import { groupVersion } from '#schema/mod.ts';
import type { Conversion } from './conversion.ts';
import { eventConversion } from './event-conversion.ts';
import { autoscalerConversion } from './autoscaler-conversion.ts';

/** Conversions between versions that differ in more than their name. */
const conversions: Readonly<Record<string, Conversion>> = {
  'events.k8s.io/v1/Event': eventConversion,
  'autoscaling/v1/HorizontalPodAutoscaler': autoscalerConversion,
};

/** How a built-in resource gets from its stored to its served version; undefined for no change. */
export function conversionOf(info: ResourceInfo): Conversion | undefined {
  const served = groupVersion(info);
  if (served === groupVersion(info.storage)) return undefined;
  const found = conversions[`${served}/${info.kind}`];
  if (found !== undefined) return found;
  return {
    toServed: (stored) => ({ ...stored, apiVersion: served }),
    toStored: (object) => ({ ...object, apiVersion: groupVersion(info.storage) }),
  };
}
