import type { Container, Job, Pod } from '#schema/types.ts';
import { podFromTemplate } from '../pods/pod-control.ts';
import { indexFailureKey, indexKey, indexLimit, trackingFinalizer } from './job-facts.ts';

const indexVariable = 'JOB_COMPLETION_INDEX';

/** A pod of the job that is counted before it may go; for an Indexed job, the one of this index. */
export function jobPod(job: Job, index: number | undefined, indexFailures: number): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job);
  const { metadata } = pod;
  metadata.finalizers = [...(metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined || pod.spec === undefined) return pod;
  const text = String(index);
  const failures =
    indexLimit(job) === undefined ? {} : { [indexFailureKey]: String(indexFailures) };
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: `${job.metadata.name}-${index}-`,
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
