import type { EventRecorder, Informer } from '#client/mod.ts';
import type { Node, Pod } from '#schema/types.ts';
import { every } from '../every.ts';
import type { KubeletOptions } from '../kubelet-options.ts';
import { createMirrorPods } from './mirror-pods.ts';
import { isMirrorPod, isStaticPod, namespaceOf, podText, uidOf } from './names.ts';
import type { PodRegistry } from './pod-registry.ts';
import { createManifestUrlSource } from './manifest-url.ts';
import { createStaticPodSource } from './static-pods.ts';
import type { StaticPodSource } from './static-pods.ts';

/** Where pods come from: the API server's watch, the directory and the URL of static pods. */
export interface PodSources {
  /** The API's object of a pod: itself, or a static pod's mirror; undefined when there is none. */
  apiPod(pod: Pod): Pod | undefined;
  /** Watches the directory and the URL of static pods until the signal is aborted. */
  runStatic(signal: AbortSignal): Promise<void>;
  /** Hands the API's pods to the registry, those that are there first. */
  follow(): void;
}

export function createPodSources(
  options: KubeletOptions & {
    recorder: Pick<EventRecorder, 'event'>;
    pods: Informer<Pod>;
    node: () => Node | undefined;
    registry: () => PodRegistry;
  },
): PodSources {
  const { client, log, config, pods, node, recorder } = options;
  const staticPods = new Map<string, Pod>();
  const present = (pod: Pod): Pod | undefined =>
    pods.get(`${namespaceOf(pod)}/${pod.metadata.name}`);
  const mirrors = createMirrorPods({ client, log, node, find: present });

  /** What each source has: its pods come and go without those of the other. */
  const bySource = new Map<string, readonly Pod[]>();
  const setSource = (source: string, pods: readonly Pod[]): void => {
    bySource.set(source, withoutDuplicates(source, pods, recorder));
    setStatic([...bySource.values()].flat());
  };
  const setStatic = (current: readonly Pod[]): void => {
    const registry = options.registry();
    const uids = new Set(current.map(uidOf));
    for (const [uid, pod] of staticPods) {
      if (uids.has(uid)) continue;
      staticPods.delete(uid);
      registry.remove(uid);
      const mirror = present(pod);
      const isReplaced = current.some(({ metadata }) => metadata.name === pod.metadata.name);
      if (mirror !== undefined && !isReplaced) void mirrors.remove(mirror);
    }
    for (const pod of current) {
      if (staticPods.has(uidOf(pod))) continue;
      staticPods.set(uidOf(pod), pod);
      registry.set(pod);
      if (node() !== undefined) void mirrors.ensure(pod);
    }
  };
  const onMirror = (mirror: Pod, isGone: boolean): void => {
    const pod = [...staticPods.values()].find(
      ({ metadata }) =>
        metadata.name === mirror.metadata.name && metadata.namespace === mirror.metadata.namespace,
    );
    if (pod !== undefined) {
      void mirrors.ensure(pod).then(() => {
        if (!isGone) options.registry().mirrored(uidOf(pod), mirror);
      });
    } else if (!isGone) {
      void mirrors.remove(mirror);
    }
  };
  /** What stood in the way of a mirror (no namespace, no API server) may be over. */
  const ensureMirrors = async (): Promise<void> => {
    if (node() === undefined || !pods.hasSynced) return;
    for (const pod of staticPods.values()) await mirrors.ensure(pod);
  };
  const onPod = (pod: Pod): void => {
    if (isMirrorPod(pod)) onMirror(pod, false);
    else options.registry().set(pod);
  };

  return {
    apiPod(pod) {
      const found = present(pod);
      if (isStaticPod(pod)) return found;
      return found !== undefined && uidOf(found) === uidOf(pod) ? found : pod;
    },
    async runStatic(signal) {
      const { staticPodPath, staticPodUrl } = config;
      const sources: StaticPodSource[] = [];
      if (staticPodPath !== '') {
        sources.push(
          createStaticPodSource({
            ...options,
            path: staticPodPath,
            rereadMs: config.fileCheckMs,
            onPods: (current) => setSource('file', current),
          }),
        );
      }
      if (staticPodUrl !== '') {
        sources.push(
          createManifestUrlSource({
            ...options,
            url: staticPodUrl,
            headers: config.staticPodUrlHeaders,
            rereadMs: config.httpCheckMs,
            onPods: (current) => setSource('http', current),
          }),
        );
      }
      await Promise.all([
        ...sources.map((source) => source.run(signal)),
        every(config.syncFrequencyMs, 'mirror pods', ensureMirrors, { ...options, signal }),
      ]);
    },
    follow() {
      pods.addHandler({
        onAdd: onPod,
        onUpdate: (_old, pod) => onPod(pod),
        onDelete: (pod) =>
          isMirrorPod(pod) ? onMirror(pod, true) : options.registry().remove(uidOf(pod)),
      });
      for (const pod of staticPods.values()) void mirrors.ensure(pod);
    },
  };
}

/** Of pods with the same name the first one counts. */
function withoutDuplicates(
  source: string,
  pods: readonly Pod[],
  recorder: Pick<EventRecorder, 'event'>,
): Pod[] {
  const names = new Set<string>();
  return pods.filter((pod) => {
    const fullName = `${pod.metadata.name}_${namespaceOf(pod)}`;
    const isFirst = !names.has(fullName);
    names.add(fullName);
    if (!isFirst) {
      const message = `Error validating pod ${podText(pod)} from ${source} due to duplicate pod name "${pod.metadata.name}", ignoring`;
      recorder.event(pod, 'Warning', 'FailedValidation', message);
    }
    return isFirst;
  });
}
