import type { UnknownObject } from '#schema/mod.ts';
import type { Conversion } from './conversion.ts';

/** Field of events.k8s.io/v1 and its name in core/v1, which is how events are stored. */
const renamed: readonly (readonly [served: string, stored: string])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

const toServedName = new Map(renamed.map(([served, stored]) => [stored, served]));
const toStoredName = new Map(renamed);

export const eventConversion: Conversion = {
  toServed: (stored) => rename(stored, 'events.k8s.io/v1', toServedName),
  toStored: (served) => rename(served, 'v1', toStoredName),
};

function rename(
  object: UnknownObject,
  apiVersion: string,
  names: ReadonlyMap<string, string>,
): UnknownObject {
  const result: Record<string, unknown> = { kind: 'Event', apiVersion };
  for (const [field, value] of Object.entries(object)) {
    if (field === 'kind' || field === 'apiVersion') continue;
    result[names.get(field) ?? field] = value;
  }
  return result as UnknownObject;
}
