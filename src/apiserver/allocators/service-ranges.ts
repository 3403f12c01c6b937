import { formatCidr, tryParseCidr } from '#base/cidr.ts';
import { resources } from '#client/mod.ts';
import type { ServiceCIDR } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { createIpRange } from './ip-range.ts';
import type { IpRange } from './ip-range.ts';

/** The ranges of the ServiceCIDRs there are. */
export interface ServiceRanges {
  /** Ranges of a family that give out addresses: those of a ServiceCIDR that is ready and stays. */
  ready(family: 4 | 6): readonly IpRange[];
  close(): void;
}

/** Follows the stored ServiceCIDRs; several may share a range. */
export function createServiceRanges(reader: ObjectReader): ServiceRanges {
  let known: readonly KnownRange[] | undefined;
  const remove = reader.onChange<ServiceCIDR>(resources.serviceCidrs, () => {
    known = undefined;
  });
  const all = (): readonly KnownRange[] => {
    known ??= rangesOf(reader.list<ServiceCIDR>(resources.serviceCidrs));
    return known;
  };
  return {
    ready: (family) =>
      all().flatMap(({ range, isReady }) =>
        isReady && range.cidr.family === family ? [range] : [],
      ),
    close: remove,
  };
}

interface KnownRange {
  readonly range: IpRange;
  readonly isReady: boolean;
}

/** Each range once; it is ready when one of its ServiceCIDRs is. */
export function rangesOf(objects: readonly ServiceCIDR[]): readonly KnownRange[] {
  const byCidr = new Map<string, KnownRange>();
  for (const object of objects) {
    for (const text of object.spec?.cidrs ?? []) {
      const cidr = tryParseCidr(text);
      if (cidr === undefined) continue;
      const key = formatCidr(cidr);
      const known = byCidr.get(key);
      const range = known?.range ?? createIpRange(cidr);
      byCidr.set(key, { range, isReady: known?.isReady === true || isReady(object) });
    }
  }
  return [...byCidr.values()];
}

/** Without a condition it counts as ready, so that a cluster without controllers works. */
function isReady({ metadata, status }: ServiceCIDR): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const condition = status?.conditions?.find(({ type }) => type === 'Ready');
  return condition === undefined || condition.status === 'True';
}
