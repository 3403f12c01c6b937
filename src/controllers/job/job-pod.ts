import type { Container, Job, Pod } from '#schema/types.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { failureAnnotations } from './index-failures.ts';
import { indexKey, indexLimit, trackingFinalizer } from './job-facts.ts';

const indexVariable = 'JOB_COMPLETION_INDEX';

/** What the server leaves of a generated name before the random letters. */
const maxPrefixLength = 58;

/**
 * A pod of the job that is counted before it may go; for an Indexed job, the one of this index,
 * which goes on from the failed pod that it replaces.
 */
export function jobPod(job: Job, index: number | undefined, replaced: Pod | undefined): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job);
  const { metadata } = pod;
  const finalizers = metadata.finalizers ?? [];
  if (!finalizers.includes(trackingFinalizer)) {
    metadata.finalizers = [...finalizers, trackingFinalizer];
  }
  if (index === undefined || pod.spec === undefined) return pod;
  const text = String(index);
  const failures = indexLimit(job) === undefined ? {} : failureAnnotations(job, replaced);
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: namePrefix(job.metadata.name, index),
      labels: { ...metadata.labels, [indexKey]: text },
      annotations: { ...metadata.annotations, [indexKey]: text, ...failures },
    },
    spec: {
      ...pod.spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: pod.spec.containers.map(withIndex),
      ...(pod.spec.initContainers === undefined
        ? {}
        : { initContainers: pod.spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexVariable) === true) return container;
  const fieldRef = { fieldPath: `metadata.labels['${indexKey}']` };
  return {
    ...container,
    env: [...(container.env ?? []), { name: indexVariable, valueFrom: { fieldRef } }],
  };
}

/** Cuts the job's name so that the index stays in the pod's name. */
function namePrefix(jobName: string, index: number): string {
  const ending = `-${index}-`;
  return `${jobName.slice(0, maxPrefixLength - ending.length)}${ending}`;
}
