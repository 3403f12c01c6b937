import type { DefaultHook } from './hooks.ts';
import type { Json } from './json.ts';
import { isEmpty, objectAt, objectsAt, setIfAbsent } from './json.ts';

function namespace(value: Json): void {
  const metadata = objectAt(value, 'metadata');
  if (metadata === undefined || isEmpty(metadata['name'])) return;
  const labels = objectAt(metadata, 'labels') ?? {};
  metadata['labels'] = { ...labels, 'kubernetes.io/metadata.name': metadata['name'] };
}

/** stringData is for writing only: its texts end in data. */
function secret(value: Json): void {
  const texts = objectAt(value, 'stringData');
  if (texts === undefined) return;
  const data: Json = { ...objectAt(value, 'data') };
  for (const key in texts) data[key] = Buffer.from(String(texts[key])).toString('base64');
  value['data'] = data;
  delete value['stringData'];
}

function nodeStatus(value: Json): void {
  const capacity = objectAt(value, 'capacity');
  if (capacity !== undefined && isEmpty(value['allocatable']))
    value['allocatable'] = { ...capacity };
}

function nodeSpec(value: Json): void {
  const ranges = value['podCIDRs'];
  const first: unknown = Array.isArray(ranges) ? ranges[0] : undefined;
  if (isEmpty(value['podCIDR'])) {
    if (first !== undefined) value['podCIDR'] = first;
  } else if (value['podCIDR'] !== first) {
    value['podCIDRs'] = [value['podCIDR']];
  }
}

function subject(value: Json): void {
  const isPerson = value['kind'] === 'User' || value['kind'] === 'Group';
  if (isPerson) setIfAbsent(value, 'apiGroup', 'rbac.authorization.k8s.io');
}

function deviceCount(value: Json): void {
  if (value['allocationMode'] === 'ExactCount' && isEmpty(value['count'])) value['count'] = 1;
}

function customResourceDefinition(value: Json): void {
  const spec = objectAt(value, 'spec');
  const names = objectAt(spec, 'names');
  const kind = names?.['kind'];
  if (names !== undefined && typeof kind === 'string') {
    if (isEmpty(names['singular'])) names['singular'] = kind.toLowerCase();
    if (isEmpty(names['listKind']) && kind !== '') names['listKind'] = `${kind}List`;
  }
  const status = objectAt(value, 'status');
  const stored = objectsAt(spec, 'versions').find((version) => version['storage'] === true);
  if (status !== undefined && stored !== undefined && isEmpty(status['storedVersions'])) {
    status['storedVersions'] = [stored['name']];
  }
}

export const accessHooks: Readonly<Record<string, DefaultHook>> = {
  'core.v1.Namespace': { apply: namespace },
  'core.v1.Secret': { apply: secret },
  'core.v1.NodeSpec': { apply: nodeSpec },
  'core.v1.NodeStatus': { apply: nodeStatus },
  'rbac.v1.Subject': { apply: subject },
  'resource.v1.ExactDeviceRequest': { apply: deviceCount },
  'resource.v1.DeviceSubRequest': { apply: deviceCount },
  'apiextensions.v1.CustomResourceDefinition': { apply: customResourceDefinition },
};
