import type { UnknownObject } from '#schema/mod.ts';
import type {
  CronJob,
  Job,
  Pod,
  PodTemplate,
  PodTemplateSpec,
  StatefulSet,
} from '#schema/types.ts';
import type { DeleteOptions } from '../../handlers/delete-options.ts';
import type { KindHooks } from '../kind-hooks.ts';
import { ipWarnings } from './addresses.ts';
import { fractionWarnings } from './fractions.ts';
import { podSpecWarnings } from './pod-spec.ts';

const subdomainForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const manyCompletions = 100_000;
const manyAtOnce = 10_000;

export const podWarnings: KindHooks = {
  warnings(object, old) {
    // people do not change pods themselves, and their kubelets often do
    if (old !== undefined) return [];
    const { metadata, spec } = object as unknown as Pod;
    const what = "this is used in the Pod's hostname";
    return [...nameWarnings(object, old, what), ...podSpecWarnings(metadata, spec, '')];
  },
  statusWarnings(object) {
    const { podIPs = [], hostIPs = [] } = (object as unknown as Pod).status ?? {};
    return [
      ...podIPs.flatMap(({ ip }, index) => ipWarnings(ip, `status.podIPs[${index}].ip`)),
      ...hostIPs.flatMap(({ ip }, index) => ipWarnings(ip, `status.hostIPs[${index}].ip`)),
    ];
  },
};

/** Kinds with a pod template at spec.template; an update warns only when it changes the spec. */
export const workloadWarnings: KindHooks = {
  warnings(object, old) {
    if (isSameGeneration(object, old)) return [];
    return [...nameWarnings(object, old), ...templateWarnings(object)];
  },
};

/** Workloads whose names do not show in their pods' host names. */
export const plainWorkloadWarnings: KindHooks = {
  warnings: (object, old) => (isSameGeneration(object, old) ? [] : templateWarnings(object)),
};

export const statefulSetWarnings: KindHooks = {
  warnings(object, old) {
    if (isSameGeneration(object, old)) return [];
    const { spec } = object as unknown as StatefulSet;
    const claims = (spec?.volumeClaimTemplates ?? []).flatMap(({ spec: claim }, index) => {
      const path = `spec.volumeClaimTemplates[${index}].resources`;
      return [
        ...fractionWarnings(claim?.resources?.requests, `${path}.requests`),
        ...fractionWarnings(claim?.resources?.limits, `${path}.limits`),
      ];
    });
    const isNegative = (spec?.revisionHistoryLimit ?? 0) < 0;
    const history =
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended';
    return [...templateWarnings(object), ...claims, ...(isNegative ? [history] : [])];
  },
};

export const jobWarnings: KindHooks = {
  warnings(object, old) {
    if (isSameGeneration(object, old)) return [];
    const { spec } = object as unknown as Job;
    return [
      ...nameWarnings(object, old),
      ...indexWarnings(spec, 'spec'),
      ...templateWarnings(object),
    ];
  },
  deleteWarnings({ propagationPolicy, orphanDependents }: DeleteOptions) {
    if (propagationPolicy !== undefined || orphanDependents !== undefined) return [];
    return [
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
    ];
  },
};

export const podTemplateWarnings: KindHooks = {
  warnings(object, old) {
    if (isSameGeneration(object, old)) return [];
    const { template } = object as unknown as PodTemplate;
    return podSpecWarnings(template?.metadata, template?.spec, 'template.');
  },
};

export const cronJobWarnings: KindHooks = {
  warnings(object, old) {
    if (isSameGeneration(object, old)) return [];
    const job = (object as unknown as CronJob).spec?.jobTemplate.spec;
    const template = job?.template;
    return [
      ...nameWarnings(object, old),
      ...indexWarnings(job, 'spec.jobTemplate.spec'),
      ...podSpecWarnings(template?.metadata, template?.spec, 'spec.jobTemplate.spec.template.'),
    ];
  },
};

function isSameGeneration(object: UnknownObject, old: UnknownObject | undefined): boolean {
  return old !== undefined && object.metadata.generation === old.metadata.generation;
}

function templateWarnings(object: UnknownObject): string[] {
  const { template } = (object['spec'] ?? {}) as { template?: PodTemplateSpec };
  return podSpecWarnings(template?.metadata, template?.spec, 'spec.template.');
}

function nameWarnings(
  object: UnknownObject,
  old: UnknownObject | undefined,
  what = 'this is used in Pod names and hostnames',
): string[] {
  const { name } = object.metadata;
  if (old !== undefined) return [];
  const why = [
    ...(name.length > 63 ? ['must be no more than 63 characters'] : []),
    ...(labelForm.test(name)
      ? []
      : subdomainForm.test(name)
        ? ['must not contain dots']
        : [
            `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
          ]),
  ];
  if (why.length === 0) return [];
  return [
    `metadata.name: ${what}, which can result in surprising behavior; a DNS label is recommended: [${why.join(' ')}]`,
  ];
}

function indexWarnings(spec: Job['spec'], path: string): string[] {
  const isWide =
    spec?.completionMode === 'Indexed' &&
    (spec.completions ?? 0) > manyCompletions &&
    (spec.parallelism ?? 0) > manyAtOnce;
  if (!isWide) return [];
  return [
    `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
  ];
}
