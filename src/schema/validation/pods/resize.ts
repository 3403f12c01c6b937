import type { Container, Pod, PodSpec, ResourceRequirements } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { podQosClass } from '../../pods/mod.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath, specPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { mirrorAnnotation } from './pod-annotations.ts';

type Resources = Unchecked<ResourceRequirements>;
type ContainerIn = Unchecked<Container>;

const fields = ['requests', 'limits'] as const;
const lists = ['containers', 'initContainers'] as const;

/** A running pod may get other amounts of cpu and memory, and nothing else. */
export function checkResize(errors: ErrorList, pod: Unchecked<Pod>, old: Unchecked<Pod>): void {
  if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    errors.forbidden(rootPath, '', 'static pods cannot be resized');
  }
  if (pod.spec?.os?.name === 'windows' || old.spec?.os?.name === 'windows') {
    errors.forbidden(rootPath, '', 'windows pods cannot be resized');
    return;
  }
  const oldClass = old.status?.qosClass ?? podQosClass(old.spec as PodSpec | undefined);
  if (podQosClass(pod.spec as PodSpec | undefined) !== oldClass) {
    const detail = 'Pod QOS Class may not change as a result of resizing';
    errors.invalid(specPath, '', oldClass, detail);
  }
  const isUnaware = (old.status?.containerStatuses ?? []).some(
    ({ state, resources }) => state?.running !== undefined && resources === undefined,
  );
  if (isUnaware) {
    errors.forbidden(specPath, '', 'Pod running on node without support for resize');
  }
  checkPodLevel(errors, pod.spec?.resources, old.spec?.resources);
  if (!isEmpty(old.status?.nodeAllocatableResourceClaimStatuses)) {
    const detail = 'pods with node allocatable resource claims cannot be resized';
    errors.forbidden(specPath, '', detail);
  }
  for (const list of lists) {
    if (!haveSameNames(errors, list, pod.spec?.[list] ?? [], old.spec?.[list] ?? [])) return;
  }
  for (const list of lists) {
    checkContainers(errors, list, pod.spec?.[list] ?? [], old.spec?.[list] ?? []);
  }
}

function checkPodLevel(
  errors: ErrorList,
  now: Resources | undefined,
  old: Resources | undefined,
): void {
  if (old === undefined) return;
  if (now === undefined) {
    errors.forbidden(specPath, 'resources', 'pod-level resources cannot be removed');
    return;
  }
  for (const field of fields) {
    if (!hasRemoved(now[field], old[field])) continue;
    const detail = `pod-level resource ${field} cannot be removed`;
    errors.forbidden(specPath, `resources.${field}`, detail);
  }
  if (!jsonEqual(withoutComputing(now), withoutComputing(old))) {
    const detail = 'only cpu and memory resources are mutable at pod-level';
    errors.forbidden(specPath, '', detail);
  }
}

function hasRemoved(
  now: Readonly<Record<string, unknown>> | undefined,
  old: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return Object.keys(old ?? {}).some((name) => now?.[name] === undefined);
}

/** Resources without cpu and memory; nothing is the same as an empty list. */
function withoutComputing(resources: Resources | undefined): object {
  const rest = (list: Resources['requests']): object | undefined => {
    const { cpu: _cpu, memory: _memory, ...others } = list ?? {};
    return isEmpty(others) ? undefined : others;
  };
  return {
    ...resources,
    limits: rest(resources?.limits),
    requests: rest(resources?.requests),
  };
}

function haveSameNames(
  errors: ErrorList,
  list: (typeof lists)[number],
  now: readonly ContainerIn[],
  old: readonly ContainerIn[],
): boolean {
  if (now.length !== old.length) {
    errors.forbidden(specPath, list, `${list} may not be added or removed on resize`);
    return false;
  }
  const before = errors.count;
  now.forEach((container, index) => {
    if (container.name === old[index]?.name) return;
    const detail = `${list} may not be renamed or reordered on resize`;
    errors.forbidden(specPath.child(list).at(index), 'name', detail);
  });
  return errors.count === before;
}

function checkContainers(
  errors: ErrorList,
  list: (typeof lists)[number],
  now: readonly ContainerIn[],
  old: readonly ContainerIn[],
): void {
  const path = specPath.child(list);
  let isOtherChanged = false;
  now.forEach((container, index) => {
    const stored = old[index] ?? {};
    for (const field of fields) {
      if (!hasRemoved(container.resources?.[field], stored.resources?.[field])) continue;
      const at = path.at(index).child('resources');
      errors.forbidden(at, field, `resource ${field} cannot be removed`);
    }
    const isOther = !jsonEqual(bare(container), bare(stored));
    if (list === 'containers') isOtherChanged ||= isOther;
    else if (isOther) {
      const detail = 'only cpu and memory resources for init or sidecar containers are mutable';
      errors.forbidden(path, index, detail);
    } else if (isRestarting(container) && !jsonEqual(container.resources, stored.resources)) {
      const detail =
        'non-sidecar init containers with a resize policy of RestartContainer cannot be resized';
      errors.forbidden(path, index, detail);
    }
  });
  if (isOtherChanged) {
    errors.forbidden(specPath, '', 'only cpu and memory resources are mutable');
  }
}

function bare(container: ContainerIn): object {
  return { ...container, resources: withoutComputing(container.resources) };
}

function isRestarting({ restartPolicy, resizePolicy }: ContainerIn): boolean {
  if (restartPolicy === 'Always') return false;
  return resizePolicy?.some((policy) => policy.restartPolicy === 'RestartContainer') === true;
}
