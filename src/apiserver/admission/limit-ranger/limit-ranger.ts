import { resources } from '#client/mod.ts';
import type { LimitRange, PersistentVolumeClaim } from '#schema/types.ts';

import type { ObjectReader } from '../../authz/object-reader.ts';
import { aggregate } from '../../authz/rbac/rbac-authorizer.ts';
import { isPod, isResource, podOf, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { claimViolations, podViolations } from './limit-checks.ts';
import { applyLimitDefaults } from './limit-defaults.ts';

/** Defaults and bounds of requests and limits in a namespace, from its LimitRanges. */
export function createLimitRanger(options: { reader: ObjectReader }): AdmissionPlugin {
  const rangesOf = (attributes: AdmissionAttributes): readonly LimitRange[] =>
    options.reader.list<LimitRange>(resources.limitRanges, attributes.namespace);
  const isClaim = (attributes: AdmissionAttributes): boolean =>
    isResource(attributes, '', 'persistentvolumeclaims') &&
    (attributes.operation === 'CREATE' || attributes.operation === 'UPDATE');
  const isResize = (attributes: AdmissionAttributes): boolean =>
    attributes.operation === 'UPDATE' && isResource(attributes, '', 'pods', 'resize');
  return {
    name: 'LimitRanger',
    handles: (attributes) =>
      isPod(attributes, 'CREATE') || isClaim(attributes) || isResize(attributes),
    mutate(attributes) {
      if (!isPod(attributes, 'CREATE')) return;
      for (const range of rangesOf(attributes)) {
        applyLimitDefaults(podOf(attributes), range.spec?.limits ?? []);
      }
    },
    validate(attributes) {
      // whoever takes an object away must not be held up by limits
      if (attributes.oldObject?.metadata.deletionTimestamp !== undefined) return;
      for (const range of rangesOf(attributes)) {
        const items = range.spec?.limits ?? [];
        const found = isClaim(attributes)
          ? claimViolations(attributes.object as unknown as PersistentVolumeClaim, items)
          : podViolations(podOf(attributes), items);
        if (found.length > 0) throw refuse(attributes, aggregate([...new Set(found)]));
      }
    },
  };
}
