import type { Job, Pod, PodFailurePolicyRule } from '#schema/types.ts';

export interface PolicyVerdict {
  readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** For FailJob: what the condition says. */
  readonly message: string;
}

/** What the first matching rule of the job's pod failure policy says of a failed pod. */
export function judgeFailure(job: Job, pod: Pod): PolicyVerdict | undefined {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const message = matchText(rule, pod, index);
    if (message === undefined) continue;
    return { action: rule.action as PolicyVerdict['action'], message };
  }
  return undefined;
}

function matchText(rule: PodFailurePolicyRule, pod: Pod, index: number): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  const ending = `matching ${rule.action} rule at index ${index}`;
  const { onExitCodes, onPodConditions } = rule;
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    const statuses = [
      ...(pod.status?.containerStatuses ?? []),
      ...(pod.status?.initContainerStatuses ?? []),
    ];
    for (const status of statuses) {
      if (containerName !== undefined && containerName !== status.name) continue;
      const exitCode = status.state?.terminated?.exitCode ?? 0;
      if (exitCode === 0 || values.includes(exitCode) !== (operator === 'In')) continue;
      return `Container ${status.name} for pod ${name} failed with exit code ${exitCode} ${ending}`;
    }
  }
  for (const pattern of onPodConditions ?? []) {
    const wanted = pattern.status ?? 'True';
    const found = pod.status?.conditions?.find(
      ({ type, status }) => type === pattern.type && status === wanted,
    );
    if (found !== undefined) return `Pod ${name} has condition ${pattern.type} ${ending}`;
  }
  return undefined;
}
