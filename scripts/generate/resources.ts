/** Compacts the resource facts: the resources that are on by default, and discovery's group order. */
import { readFacts } from './facts.ts';

interface SubresourceFact {
  name: string;
  group: string;
  version: string;
  kind: string;
  verbs: string[];
  connect?: boolean;
  methods?: string[];
  query?: Record<string, string>;
  trailingPath?: boolean;
}

interface ResourceFact {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  listKind: string | null;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  verbs: string[];
  enabledByDefault: boolean;
  storageVersion: string | null;
  storageVersionHash: string | null;
  openapi: string;
  subresources: SubresourceFact[];
  etcdPrefix?: string;
  fieldSelectors?: string[];
  defaultPropagation?: string;
  allowCreateOnUpdate?: boolean;
  allowUnconditionalUpdate?: boolean;
}

interface GroupFact {
  group: string;
  preferredVersion: string;
  enabledByDefaultVersions: string[];
  groupPriorityMinimum: number | null;
  versionPriority: Record<string, number | null>;
}

/** What the store holds when it is not what is served. */
function storageOf(fact: ResourceFact): string | undefined {
  if (fact.group === 'events.k8s.io') return '/v1';
  if (fact.group === 'autoscaling' && fact.version === 'v1') return 'autoscaling/v2';
  return undefined;
}

function compactSubresource(fact: SubresourceFact, parent: ResourceFact): Record<string, unknown> {
  const { name, kind, verbs, methods, query, trailingPath } = fact;
  const differs = fact.group !== parent.group || fact.version !== parent.version;
  return {
    name,
    kind,
    ...(differs ? { group: fact.group, version: fact.version } : {}),
    verbs,
    ...(methods === undefined ? {} : { methods }),
    ...(query === undefined ? {} : { query }),
    ...(trailingPath === true ? { trailingPath } : {}),
  };
}

function compact(fact: ResourceFact): Record<string, unknown> {
  const storage = storageOf(fact);
  const selectable = (fact.fieldSelectors ?? []).filter(
    (field) => !/^metadata\.name(space)?$/.test(field),
  );
  return {
    group: fact.group,
    version: fact.version,
    resource: fact.plural,
    kind: fact.kind,
    singular: fact.singular,
    ...(fact.listKind === null ? {} : { listKind: fact.listKind }),
    ...(fact.namespaced ? { namespaced: true } : {}),
    ...(fact.shortNames.length === 0 ? {} : { shortNames: fact.shortNames }),
    ...(fact.categories.length === 0 ? {} : { categories: fact.categories }),
    verbs: fact.verbs,
    typeName: fact.openapi,
    ...(fact.etcdPrefix === undefined ? {} : { storagePrefix: `${fact.etcdPrefix}/` }),
    ...(storage === undefined ? {} : { storage }),
    ...(fact.storageVersionHash === null ? {} : { hash: fact.storageVersionHash }),
    ...(selectable.length === 0 ? {} : { selectable }),
    ...(fact.allowCreateOnUpdate === true ? { createOnUpdate: true } : {}),
    ...(fact.allowUnconditionalUpdate === false ? { conditionalUpdate: true } : {}),
    ...(fact.defaultPropagation === 'orphan' ? { orphan: true } : {}),
    ...(fact.subresources.length === 0
      ? {}
      : { subresources: fact.subresources.map((sub) => compactSubresource(sub, fact)) }),
  };
}

export function generateResources(directory: string): Record<string, unknown> {
  const facts = readFacts(directory, 'resources') as {
    groups: GroupFact[];
    resources: ResourceFact[];
    queryByVerb: Record<string, Record<string, string>>;
  };
  const groups = facts.groups
    .filter((group) => group.enabledByDefaultVersions.length > 0)
    .map((group) => ({
      group: group.group,
      versions: group.enabledByDefaultVersions,
      preferredVersion: group.preferredVersion,
      priority: group.groupPriorityMinimum ?? 18000,
    }));
  return {
    groups,
    queryByVerb: facts.queryByVerb,
    resources: facts.resources.filter((resource) => resource.enabledByDefault).map(compact),
  };
}
