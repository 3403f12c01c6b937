import type { EndpointSubset } from '#schema/types.ts';

/** As upstream: an Endpoints object never has more addresses than this. */
const maxAddresses = 1000;

/**
 * Cuts addresses that are too many, a share of each subset: unready ones first, ready ones only
 * when they alone are too many. Undefined when nothing has to go.
 */
export function truncateSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] | undefined {
  const sum = (read: (subset: EndpointSubset) => number): number =>
    subsets.reduce((total, subset) => total + read(subset), 0);
  const ready = sum(({ addresses = [] }) => addresses.length);
  const notReady = sum(({ notReadyAddresses = [] }) => notReadyAddresses.length);
  if (ready + notReady <= maxAddresses) return undefined;
  const cutsReady = ready > maxAddresses;
  const room = cutsReady ? maxAddresses : maxAddresses - ready;
  const total = cutsReady ? ready : notReady;
  let left = room;
  return subsets.map(({ addresses = [], notReadyAddresses = [], ports }) => {
    const all = cutsReady ? addresses : notReadyAddresses;
    const kept = all.slice(0, Math.min(Math.ceil((all.length / total) * room), left));
    left -= kept.length;
    const readyKept = cutsReady ? kept : addresses;
    const others = cutsReady ? [] : kept;
    return {
      ...(readyKept.length === 0 ? {} : { addresses: readyKept }),
      ...(others.length === 0 ? {} : { notReadyAddresses: others }),
      ...(ports === undefined ? {} : { ports }),
    };
  });
}
