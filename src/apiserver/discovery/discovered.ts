/** Group, version and kind as discovery documents name them; empty means the enclosing ones. */
export interface DiscoveredKind {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
}

/** A resource in the aggregated form (apidiscovery.k8s.io/v2). */
export interface DiscoveredResource {
  readonly resource: string;
  readonly responseKind?: DiscoveredKind | undefined;
  readonly scope: string;
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[] | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly subresources?: readonly DiscoveredSubresource[] | undefined;
}

export interface DiscoveredSubresource {
  readonly subresource: string;
  readonly responseKind?: DiscoveredKind | undefined;
  readonly acceptedTypes?: readonly DiscoveredKind[] | undefined;
  readonly verbs: readonly string[];
}

/** A group version that the registry of resources does not hold: somebody else serves it. */
export interface DiscoveredVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
  /** The resources may be old or missing, because its server does not answer. */
  readonly isStale: boolean;
  readonly resources: readonly DiscoveredResource[];
}

/** An entry of an APIResourceList. */
export interface PlainResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

type GroupVersion = Readonly<{ group: string; version: string }>;

/** The aggregated form of a plain list; subresources go to their resource. */
export function fromPlainList(
  list: readonly PlainResource[],
  own: GroupVersion,
): DiscoveredResource[] {
  const found = new Map<string, DiscoveredResource>();
  const kindOf = ({ group = '', version = '', kind }: PlainResource): DiscoveredKind => ({
    group: group === '' ? own.group : group,
    version: version === '' ? own.version : version,
    kind,
  });
  for (const entry of list) {
    const [name = '', subresource] = entry.name.split('/', 2);
    const known = found.get(name);
    const shared = {
      resource: name,
      scope: entry.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: entry.singularName ?? '',
      verbs: entry.verbs,
    };
    if (subresource === undefined) {
      found.set(name, {
        ...shared,
        responseKind: kindOf(entry),
        ...(entry.shortNames === undefined ? {} : { shortNames: entry.shortNames }),
        ...(entry.categories === undefined ? {} : { categories: entry.categories }),
        ...(known?.subresources === undefined ? {} : { subresources: known.subresources }),
      });
      continue;
    }
    const parent = known ?? { ...shared, verbs: [] };
    const sub = { subresource, responseKind: kindOf(entry), verbs: entry.verbs };
    found.set(name, { ...parent, subresources: [...(parent.subresources ?? []), sub] });
  }
  return [...found.values()];
}

/** The entries of the plain list for resources in the aggregated form. */
export function toPlainList(
  resources: readonly DiscoveredResource[],
  own: GroupVersion,
): PlainResource[] {
  return resources.flatMap((info) => {
    const namespaced = info.scope === 'Namespaced';
    const entry: PlainResource = {
      name: info.resource,
      singularName: info.singularResource,
      namespaced,
      ...plainKind(info.responseKind, own),
      verbs: info.verbs,
      ...(info.shortNames === undefined ? {} : { shortNames: info.shortNames }),
      ...(info.categories === undefined ? {} : { categories: info.categories }),
    };
    const subs = (info.subresources ?? []).map((sub): PlainResource => ({
      name: `${info.resource}/${sub.subresource}`,
      singularName: '',
      namespaced,
      ...plainKind(sub.responseKind, own),
      verbs: sub.verbs,
    }));
    return [entry, ...subs];
  });
}

function plainKind(
  of: DiscoveredKind | undefined,
  own: GroupVersion,
): { group?: string; version?: string; kind: string } {
  const { group = '', version = '', kind = '' } = of ?? {};
  const isOwn = version === '' || (group === own.group && version === own.version);
  return isOwn ? { kind } : { group, version, kind };
}
