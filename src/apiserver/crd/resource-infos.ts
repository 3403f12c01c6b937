import { createHash } from 'node:crypto';
import type { ResourceInfo, SubresourceInfo } from '#schema/mod.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '#schema/types.ts';

const verbs: readonly string[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];
const subresourceVerbs: readonly string[] = ['get', 'patch', 'update'];

export function storageVersionOf(definition: CustomResourceDefinition): string {
  const { versions }: Partial<CustomResourceDefinition['spec']> = definition.spec;
  return versions?.find(({ storage }) => storage)?.name ?? '';
}

/** What a definition makes the server serve: one resource a served version, by accepted names. */
export function resourceInfosOf(definition: CustomResourceDefinition): ResourceInfo[] {
  return definition.spec.versions
    .filter(({ served }) => served)
    .map((version) => infoOf(definition, version));
}

function infoOf(
  definition: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): ResourceInfo {
  const { spec, status } = definition;
  const { group } = spec;
  const accepted = status?.acceptedNames;
  const names = accepted === undefined || accepted.plural === '' ? spec.names : accepted;
  const { plural, kind } = names;
  const storage = { group, version: storageVersionOf(definition), kind };
  return {
    group,
    version: version.name,
    resource: plural,
    kind,
    singular: names.singular ?? kind.toLowerCase(),
    listKind: names.listKind ?? `${kind}List`,
    namespaced: spec.scope === 'Namespaced',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs,
    subresources: subresourcesOf(group, version, kind),
    typeName: '',
    storagePrefix: `/registry/${group}/${plural}/`,
    storage,
    storageVersionHash: storageVersionHash(storage),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) =>
      jsonPath.replace(/^\./, ''),
    ),
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: false,
    defaultPropagation: 'Background',
  };
}

function subresourcesOf(
  group: string,
  { name, subresources }: CustomResourceDefinitionVersion,
  kind: string,
): SubresourceInfo[] {
  const found: SubresourceInfo[] = [];
  if (subresources?.status !== undefined) {
    found.push({ name: 'status', kind, group, version: name, verbs: subresourceVerbs });
  }
  if (subresources?.scale !== undefined) {
    const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
    found.push({ name: 'scale', ...scale, verbs: subresourceVerbs });
  }
  return found;
}

/** The form in which discovery tells clients that the stored form has changed. */
function storageVersionHash(of: { group: string; version: string; kind: string }): string {
  const text = `${of.group}/${of.version}/${of.kind}`;
  return createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');
}
