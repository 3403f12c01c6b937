import type { ContainerStatus, PodSandboxStatus } from '../cri/mod.ts';
import { runtimeLabels } from './names.ts';
import { emptyRuntimePod } from './runtime-pod.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-pod.ts';

interface Stamped<T> {
  readonly value: T;
  readonly stamp: number;
}

/**
 * What is known about sandboxes and containers, fed by relists, by runtime events and by the
 * kubelet's own actions. A stamp taken before a relist protects newer entries from older lists.
 */
export interface RuntimeCache {
  pod(uid: string): RuntimePod;
  pods(): RuntimePod[];
  container(id: string): RuntimeContainer | undefined;
  sandbox(id: string): PodSandboxStatus | undefined;
  /** What the runtime told by itself or in a list: onChange is called. */
  observeSandbox(sandbox: PodSandboxStatus): void;
  observeContainer(status: ContainerStatus, sandboxId: string): void;
  /** The outcome of an action of the kubelet's own, which goes on by itself. */
  putSandbox(sandbox: PodSandboxStatus): void;
  putContainer(status: ContainerStatus, sandboxId: string): void;
  dropSandbox(id: string): void;
  dropContainer(id: string): void;
  /** Begins a relist: entries put later are newer than what it lists. */
  stamp(): number;
  /** Whether the entry was put after the stamp, so that a list knows less about it. */
  isNewerThan(stamp: number, id: string): boolean;
  /** Drops what is older than the stamp and not in the list. */
  keepOnly(stamp: number, ids: ReadonlySet<string>): void;
}

/** `onChange` is called with the uid of each pod whose runtime state changed by itself. */
export function createRuntimeCache(options: { onChange: (uid: string) => void }): RuntimeCache {
  const sandboxes = new Map<string, Stamped<PodSandboxStatus>>();
  const containers = new Map<string, Stamped<RuntimeContainer>>();
  const assembled = new Map<string, RuntimePod>();
  let current = 0;

  const changed = (labels: Record<string, string>, isOwn: boolean): void => {
    const uid = labels[runtimeLabels.podUid] ?? '';
    assembled.delete(uid);
    if (!isOwn) options.onChange(uid);
  };
  const setSandbox = (sandbox: PodSandboxStatus, isOwn: boolean): void => {
    sandboxes.set(sandbox.id, { value: sandbox, stamp: ++current });
    changed(sandbox.labels, isOwn);
  };
  const setContainer = (status: ContainerStatus, sandboxId: string, isOwn: boolean): void => {
    containers.set(status.id, { value: { ...status, sandboxId }, stamp: ++current });
    changed(status.labels, isOwn);
  };

  const assemble = (uid: string): RuntimePod => {
    const isOfPod = ({ value }: Stamped<{ labels: Record<string, string> }>): boolean =>
      value.labels[runtimeLabels.podUid] === uid;
    const newestFirst = (a: { createdAt: number }, b: { createdAt: number }): number =>
      b.createdAt - a.createdAt;
    const own = [...sandboxes.values()].filter(isOfPod).map(({ value }) => value);
    const inside = [...containers.values()].filter(isOfPod).map(({ value }) => value);
    const [any] = [...own, ...inside];
    return {
      ...emptyRuntimePod(
        uid,
        any?.labels[runtimeLabels.podName],
        any?.labels[runtimeLabels.podNamespace],
      ),
      sandboxes: own.sort(newestFirst),
      containers: inside.sort(newestFirst),
    };
  };
  const podOf = (uid: string): RuntimePod => {
    let pod = assembled.get(uid);
    if (pod === undefined) {
      pod = assemble(uid);
      if (pod.sandboxes.length + pod.containers.length > 0) assembled.set(uid, pod);
    }
    return pod;
  };
  const drop = <T extends { labels: Record<string, string> }>(
    entries: Map<string, Stamped<T>>,
    id: string,
    isOwn: boolean,
  ): void => {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    changed(entry.value.labels, isOwn);
  };
  const stampOf = (id: string): number | undefined =>
    (containers.get(id) ?? sandboxes.get(id))?.stamp;

  return {
    pod: podOf,
    pods() {
      const uids = new Set<string>();
      for (const { value } of [...sandboxes.values(), ...containers.values()]) {
        uids.add(value.labels[runtimeLabels.podUid] ?? '');
      }
      return [...uids].map(podOf);
    },
    container: (id) => containers.get(id)?.value,
    sandbox: (id) => sandboxes.get(id)?.value,
    observeSandbox: (sandbox) => setSandbox(sandbox, false),
    observeContainer: (status, sandboxId) => setContainer(status, sandboxId, false),
    putSandbox: (sandbox) => setSandbox(sandbox, true),
    putContainer: (status, sandboxId) => setContainer(status, sandboxId, true),
    dropSandbox: (id) => drop(sandboxes, id, true),
    dropContainer: (id) => drop(containers, id, true),
    stamp: () => ++current,
    isNewerThan: (stamp, id) => (stampOf(id) ?? 0) > stamp,
    keepOnly(stamp, ids) {
      for (const [id, entry] of containers) {
        if (entry.stamp < stamp && !ids.has(id)) drop(containers, id, false);
      }
      for (const [id, entry] of sandboxes) {
        if (entry.stamp < stamp && !ids.has(id)) drop(sandboxes, id, false);
      }
    },
  };
}
