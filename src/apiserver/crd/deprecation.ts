import type { CustomResourceDefinition } from '#schema/types.ts';
import { compareVersions } from '../discovery/group-order.ts';

/** What requests for a deprecated version are told, with the version to use instead if any. */
export function deprecationOf(
  { spec }: CustomResourceDefinition,
  version: string,
): string | undefined {
  const own = spec.versions.find(({ name }) => name === version);
  if (own?.deprecated !== true) return undefined;
  if (own.deprecationWarning !== undefined) return own.deprecationWarning;
  const { kind } = spec.names;
  const text = `${spec.group}/${version} ${kind} is deprecated`;
  const [best] = spec.versions
    .filter(({ served, deprecated }) => served && deprecated !== true)
    .map(({ name }) => name)
    .filter((name) => compareVersions(name, version) < 0)
    .toSorted(compareVersions);
  return best === undefined ? text : `${text}; use ${spec.group}/${best} ${kind}`;
}
