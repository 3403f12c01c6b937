import { addQuantity, compareQuantity, formatQuantity, parseQuantity } from '#base/quantity.ts';
import type { DefaultHook } from './hooks.ts';
import type { Json } from './json.ts';
import { copyMissing, isEmpty, objectAt, objectsAt, setIfAbsent } from './json.ts';

/** Always for images of the tag latest, which an image without tag and digest has too. */
export function defaultPullPolicy(image: unknown): 'Always' | 'IfNotPresent' {
  if (typeof image !== 'string' || image === '') return 'IfNotPresent';
  const [name = '', digest] = image.split('@');
  const tag = /:([\w][\w.-]{0,127})$/.exec(name.slice(name.lastIndexOf('/') + 1))?.[1];
  if (tag === undefined) return digest === undefined ? 'Always' : 'IfNotPresent';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function container(value: Json): void {
  setIfAbsent(value, 'imagePullPolicy', defaultPullPolicy(value['image']));
}

function volume(value: Json): void {
  for (const key in value) if (key !== 'name') return;
  value['emptyDir'] = {};
}

/** Both names of the service account carry the same value. */
function podSpec(value: Json): void {
  const account = value['serviceAccountName'] ?? value['serviceAccount'];
  if (account === undefined) return;
  value['serviceAccountName'] = account;
  value['serviceAccount'] = account;
}

/** The single address counts when the two fields disagree, for kubelets that know only it. */
function podStatus(value: Json): void {
  const first = objectsAt(value, 'podIPs')[0]?.['ip'];
  if (isEmpty(value['podIP'])) {
    if (first !== undefined) value['podIP'] = first;
  } else if (value['podIP'] !== first) {
    value['podIPs'] = [{ ip: value['podIP'] }];
  }
}

function pod(value: Json): void {
  const spec = objectAt(value, 'spec');
  if (spec === undefined) return;
  const containers = objectsAt(spec, 'containers');
  const initContainers = objectsAt(spec, 'initContainers');
  for (const item of containers) requestsFromLimits(item);
  for (const item of initContainers) requestsFromLimits(item);
  podLevelPages(spec, containers, initContainers);
  podLevelRequests(spec, containers, initContainers);
  if (spec['hostNetwork'] !== true) return;
  for (const item of [...containers, ...initContainers]) {
    for (const port of objectsAt(item, 'ports')) {
      if (isEmpty(port['hostPort'])) port['hostPort'] = port['containerPort'];
    }
  }
}

function requestsFromLimits(item: Json): void {
  const resources = objectAt(item, 'resources');
  const limits = objectAt(resources, 'limits');
  if (resources === undefined || isEmpty(limits)) return;
  const requests = objectAt(resources, 'requests') ?? {};
  copyMissing(limits, requests);
  resources['requests'] = requests;
}

/** Huge pages that a pod with resources of its own does not mention: what the containers have. */
function podLevelPages(
  spec: Json,
  containers: readonly Json[],
  initContainers: readonly Json[],
): void {
  const resources = objectAt(spec, 'resources');
  if (resources === undefined) return;
  const limits = objectAt(resources, 'limits') ?? {};
  const requests = objectAt(resources, 'requests') ?? {};
  for (const item of [...containers, ...initContainers]) {
    for (const name in objectAt(objectAt(item, 'resources'), 'limits') ?? {}) {
      if (!name.startsWith('hugepages-')) continue;
      if (limits[name] !== undefined || requests[name] !== undefined) continue;
      limits[name] = sumOf(name, containers, initContainers, 'limits');
      resources['limits'] = limits;
    }
  }
}

/** Missing pod-level requests: what the containers ask for in sum, else the pod's limit. */
function podLevelRequests(
  spec: Json,
  containers: readonly Json[],
  initContainers: readonly Json[],
): void {
  const resources = objectAt(spec, 'resources');
  const limits = objectAt(resources, 'limits');
  if (resources === undefined || limits === undefined || isEmpty(limits)) return;
  const requests = objectAt(resources, 'requests') ?? {};
  for (const name in limits) {
    if (requests[name] !== undefined || !/^(cpu|memory|hugepages-.+)$/.test(name)) continue;
    const sum = name.startsWith('hugepages-') ? undefined : sumOf(name, containers, initContainers);
    requests[name] = sum ?? limits[name];
  }
  resources['requests'] = requests;
}

function sumOf(
  name: string,
  containers: readonly Json[],
  initContainers: readonly Json[],
  list: 'limits' | 'requests' = 'requests',
): string | undefined {
  const amount = (item: Json): string | undefined => {
    const value = objectAt(objectAt(item, 'resources'), list)?.[name];
    return typeof value === 'string' ? value : undefined;
  };
  const all = [...containers, ...initContainers];
  if (!all.some((item) => amount(item) !== undefined)) return undefined;
  let running = parseQuantity('0');
  for (const item of containers) running = addQuantity(running, parseQuantity(amount(item) ?? '0'));
  let sidecars = parseQuantity('0');
  let peak = parseQuantity('0');
  for (const item of initContainers) {
    const own = parseQuantity(amount(item) ?? '0');
    const now = addQuantity(sidecars, own);
    if (compareQuantity(now, peak) > 0) peak = now;
    if (item['restartPolicy'] === 'Always') sidecars = now;
  }
  running = addQuantity(running, sidecars);
  return formatQuantity(compareQuantity(running, peak) < 0 ? peak : running);
}

function limitRangeItem(value: Json): void {
  if (value['type'] !== 'Container') return;
  const byDefault = objectAt(value, 'default') ?? {};
  const request = objectAt(value, 'defaultRequest') ?? {};
  copyMissing(objectAt(value, 'max'), byDefault);
  copyMissing(byDefault, request);
  copyMissing(objectAt(value, 'min'), request);
  if (!isEmpty(byDefault)) value['default'] = byDefault;
  if (!isEmpty(request)) value['defaultRequest'] = request;
}

export const podHooks: Readonly<Record<string, DefaultHook>> = {
  'core.v1.Container': { apply: container },
  'core.v1.EphemeralContainer': { apply: container },
  'core.v1.ImageVolumeSource': {
    apply: (value) => setIfAbsent(value, 'pullPolicy', defaultPullPolicy(value['reference'])),
  },
  'core.v1.Volume': { apply: volume },
  'core.v1.Pod': { apply: pod },
  'core.v1.PodSpec': { apply: podSpec },
  'core.v1.PodStatus': { apply: podStatus },
  'core.v1.LimitRangeItem': { apply: limitRangeItem },
};
