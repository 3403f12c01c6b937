import type { Container, Pod } from '#schema/types.ts';
import { containerHash } from '../containers/spec-hash.ts';
import type { ProbeResults } from '../probes/results.ts';
import { runtimeAnnotations } from './names.ts';
import type { AnyContainer, PodContainer } from './names.ts';
import type { ContainerUpdate } from '../resize/actuate-resize.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts';

export type KillReason = 'changed' | 'liveness' | 'startup' | 'unknown' | 'resize';

export interface ContainerToKill {
  readonly status: RuntimeContainer;
  readonly container: AnyContainer;
  /** Text of the event Killing. */
  readonly message: string;
  readonly reason: KillReason;
}

/** What one sync has to do, in the order of the fields. */
export interface PodActions {
  /** Stop everything, then the sandbox. */
  killPod: boolean;
  createSandbox: boolean;
  /** The sandbox to work in, when none is created. */
  sandboxId: string | undefined;
  /** Attempt of the sandbox, new or present. */
  attempt: number;
  toKill: ContainerToKill[];
  /** All of these go before the pod starts over in its sandbox; then nothing else is done. */
  toReset: { of: PodContainer; statuses: RuntimeContainer[] }[];
  /** Running containers that get other limits. */
  toUpdate: ContainerUpdate[];
  ephemeralToStart: AnyContainer[];
  initToStart: Container[];
  toStart: Container[];
}

export interface ActionInputs {
  readonly pod: Pod;
  readonly runtimePod: RuntimePod;
  readonly probes: ProbeResults;
  /** What a resize of the pod means for a running container; by default nothing. */
  readonly changeOf?:
    | ((container: AnyContainer, status: RuntimeContainer) => 'update' | 'restart' | undefined)
    | undefined;
}

/** Why a running container must go, or undefined. `title` starts the text. */
export function reasonToKill(
  title: 'Container' | 'Init container',
  container: AnyContainer,
  status: RuntimeContainer,
  { probes, changeOf }: Pick<ActionInputs, 'probes' | 'changeOf'>,
): { message: string; reason: KillReason } | undefined {
  const { name } = container;
  const hash = status.annotations[runtimeAnnotations.hash];
  if (hash !== undefined && hash !== containerHash(container)) {
    return { message: `${title} ${name} definition changed`, reason: 'changed' };
  }
  if (probes.get('liveness', status.id) === 'Failure') {
    return { message: `${title} ${name} failed liveness probe`, reason: 'liveness' };
  }
  if (probes.get('startup', status.id) === 'Failure') {
    return { message: `${title} ${name} failed startup probe`, reason: 'startup' };
  }
  if (changeOf?.(container, status) === 'restart') {
    return { message: `Container ${name} resize requires restart`, reason: 'resize' };
  }
  return undefined;
}
