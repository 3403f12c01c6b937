import { formatTime } from '#base/clock.ts';
import type { Pod, PodCondition, PodStatus } from '#schema/types.ts';
import { hasAnyRegularContainer } from '../pods/init-actions.ts';
import {
  allContainersRestarting,
  couldRestartAll,
  isReportedRestartingAll,
  restartAllSources,
  restartingAllReason,
} from '../pods/restart-all.ts';
import { specOf } from '../pods/names.ts';
import { podQosClass } from '#schema/pods/mod.ts';
import { liveContainers, readySandbox, sandboxIps } from '../pods/runtime-pod.ts';
import type { ProbeResults } from '../probes/results.ts';
import type { RuntimePod } from '../pods/runtime-pod.ts';
import { datedConditions, ownedConditions, podConditions } from './conditions.ts';
import { containerStatuses } from './container-statuses.ts';
import { endStatuses } from './end-statuses.ts';
import type { PodStatuses } from './end-statuses.ts';
import type { ContainerStatusInputs, StartError } from './container-statuses.ts';
import { podPhase } from './phase.ts';
import type { PodPhase } from './phase.ts';

type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** A pod ended by the kubelet: evicted, too old, node going down. */
export interface PodVerdict {
  readonly phase?: PodPhase | undefined;
  readonly reason: string;
  readonly message: string;
  readonly condition?: Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'> | undefined;
}

export interface PodStatusInputs {
  readonly pod: Pod;
  /** The status reported last, which may be newer than the pod's. */
  readonly reported: PodStatus;
  readonly runtimePod: RuntimePod;
  readonly probes: ProbeResults;
  readonly startErrors: ReadonlyMap<string, StartError>;
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** Undefined: as soon as there is a container. */
  readonly hasVolumes?: boolean | undefined;
  readonly verdict: PodVerdict | undefined;
  readonly stage: 'syncing' | 'terminating' | 'terminated';
  readonly hostIps: readonly string[];
  readonly nowMs: number;
  readonly actuated?: ContainerStatusInputs['actuated'];
  /** Conditions about resizes; they come first. */
  readonly resizeFindings?: readonly Finding[] | undefined;
}

/** The status of a pod from what is in the runtime. Pure. */
export function podStatus(inputs: PodStatusInputs): PodStatus {
  const { pod, reported, runtimePod, verdict, stage, nowMs } = inputs;
  const statuses = statusesOf(inputs);
  const phase = phaseOf(inputs, statuses);
  const known = conditionsKnown(pod, reported);
  const sandbox = readySandbox(runtimePod);
  const isHostNetwork = specOf(pod).hostNetwork === true;
  const ips = podIps(inputs);
  const findings = podConditions({
    pod,
    phase,
    containerStatuses: statuses.containers,
    initStatuses: statuses.init,
    // Upstream makes the sandbox after the volumes, so that the condition tells of both.
    hasReadySandbox:
      sandbox !== undefined &&
      (isHostNetwork || sandboxIps(sandbox).length > 0) &&
      (inputs.hasVolumes === true || runtimePod.containers.length > 0),
    known,
  });
  const restarting = restartAllFinding(inputs, phase);
  if (restarting !== undefined) findings.push(restarting);
  if (verdict?.condition !== undefined) findings.push(verdict.condition);
  findings.unshift(...(inputs.resizeFindings ?? []));
  const now = formatTime(nowMs);
  const observedGeneration = pod.metadata.generation;
  const status: PodStatus = {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    phase,
    conditions: [
      ...datedConditions(findings, known, { now, observedGeneration }),
      ...known.filter(
        ({ type }) =>
          !ownedConditions.has(type) && findings.every((finding) => finding.type !== type),
      ),
    ],
    ...verdictFields(verdict, reported, stage),
    ...addressFields(inputs.hostIps, ips),
    startTime: reported.startTime ?? pod.status?.startTime ?? now,
    qosClass: pod.status?.qosClass ?? podQosClass(pod.spec),
    containerStatuses: statuses.containers,
    ...podLevelResources(pod),
  };
  if (statuses.init.length > 0) status.initContainerStatuses = statuses.init;
  if (statuses.ephemeral.length > 0) status.ephemeralContainerStatuses = statuses.ephemeral;
  return status;
}

/** What the pod as a whole was given, for pods that ask for it as a whole. */
function podLevelResources(pod: Pod): Pick<PodStatus, 'allocatedResources' | 'resources'> {
  const { resources } = specOf(pod);
  if (resources === undefined) return {};
  const { requests, limits } = resources;
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: {
      ...(limits === undefined ? {} : { limits }),
      ...(requests === undefined ? {} : { requests }),
    },
  };
}

function statusesOf(inputs: PodStatusInputs): PodStatuses {
  const { pod, reported, stage } = inputs;
  const isRestartingAll = couldRestartAll(pod) && isReportedRestartingAll(reported);
  const shared = { ...inputs, isTerminating: stage !== 'syncing', isRestartingAll };
  const of = (
    kind: 'containers' | 'initContainers' | 'ephemeralContainers',
    field: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses',
  ) =>
    containerStatuses(kind, { ...shared, reported: reported[field] ?? pod.status?.[field] ?? [] });
  const statuses = {
    containers: of('containers', 'containerStatuses'),
    init: of('initContainers', 'initContainerStatuses'),
    ephemeral: of('ephemeralContainers', 'ephemeralContainerStatuses'),
  };
  if (stage === 'terminated') endStatuses(pod, statuses);
  return statuses;
}

function phaseOf(inputs: PodStatusInputs, statuses: PodStatuses): PodPhase {
  const { pod, reported, runtimePod, verdict, stage } = inputs;
  const before = reported.phase ?? pod.status?.phase;
  if (before === 'Failed' || before === 'Succeeded') return before;
  const isOver = stage !== 'syncing';
  if (!isOver && before === 'Running' && isStartingOver(statuses)) return before;
  const hasLive = liveContainers(runtimePod).length > 0;
  if (verdict?.phase !== undefined && !hasLive) return verdict.phase;
  const phase = podPhase({
    pod,
    containerStatuses: statuses.containers,
    initStatuses: statuses.init,
    isTerminal: isOver,
    isInitialized: hasAnyRegularContainer(pod, runtimePod),
  });
  const isEnd = phase === 'Failed' || phase === 'Succeeded';
  // The end is told only when it is one: while a container runs, the phase stays.
  if (isEnd && hasLive) return before === 'Pending' ? 'Pending' : 'Running';
  if (stage === 'terminated' && !isEnd) return endedPhase(statuses);
  return phase;
}

/** Containers that were removed to be started again do not end the pod, whatever its policy. */
function isStartingOver({ init, containers }: PodStatuses): boolean {
  return [...init, ...containers].some(
    ({ state, lastState }) =>
      state?.waiting !== undefined && lastState?.terminated?.reason === restartingAllReason,
  );
}

/** Only pods with such a rule have the condition. */
function restartAllFinding(
  { pod, runtimePod }: PodStatusInputs,
  phase: PodPhase,
): Finding | undefined {
  if (!couldRestartAll(pod)) return undefined;
  const type = allContainersRestarting;
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  const sources = restartAllSources(pod, runtimePod);
  if (sources.length === 0) return { type, status: 'False' };
  return {
    type,
    status: 'True',
    reason: 'RestartAllContainersStarted',
    message: 'container exited with restart policy rule',
  };
}

/** A pod that is taken away before its containers ran to an end counts as failed. */
function endedPhase(statuses: PodStatuses): PodPhase {
  const all = [...statuses.init, ...statuses.containers];
  const isGood = all.every(({ state }) => state?.terminated?.exitCode === 0);
  return isGood && all.length > 0 ? 'Succeeded' : 'Failed';
}

function conditionsKnown(pod: Pod, reported: PodStatus): PodCondition[] {
  const own = (reported.conditions ?? []).filter(({ type }) => ownedConditions.has(type));
  const ownTypes = new Set(own.map(({ type }) => type));
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !ownTypes.has(type));
  return [...own, ...others];
}

function verdictFields(
  verdict: PodVerdict | undefined,
  reported: PodStatus,
  stage: PodStatusInputs['stage'],
): Pick<PodStatus, 'reason' | 'message'> {
  if (verdict !== undefined) return { reason: verdict.reason, message: verdict.message };
  if (stage === 'syncing' && reported.phase !== 'Failed') return {};
  const { reason, message } = reported;
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

/** The sandbox's addresses, the host's for pods on its network; the last known ones stay. */
function podIps({ pod, reported, runtimePod, hostIps }: PodStatusInputs): readonly string[] {
  if (specOf(pod).hostNetwork === true) {
    return runtimePod.sandboxes.length > 0 || reported.podIP !== undefined ? hostIps : [];
  }
  const ips = sandboxIps(readySandbox(runtimePod));
  if (ips.length > 0) return ips;
  return (reported.podIPs ?? pod.status?.podIPs ?? []).map(({ ip }) => ip ?? '');
}

function addressFields(
  hostIps: readonly string[],
  ips: readonly string[],
): Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'> {
  const [hostIP] = hostIps;
  const [podIP] = ips;
  return {
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIP === undefined ? {} : { podIP, podIPs: ips.map((ip) => ({ ip })) }),
  };
}
