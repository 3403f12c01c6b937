import { readFile } from 'node:fs/promises';
import { watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { namesIn } from '#host/files.ts';
import { readYaml } from '#schema/mod.ts';
import type { Pod } from '#schema/types.ts';
import { apiReference } from './api-references.ts';
import { podAnnotations } from './names.ts';

/** Editors write a file in several steps; they are read once. */
const settleMs = 100;

/** Pods from manifest files, by uid. Files that cannot be read keep out, with a warning. */
export interface StaticPodSource {
  run(signal: AbortSignal): Promise<void>;
}

/** `onPods` is called with all static pods after each change of the directory. */
export function createStaticPodSource(options: {
  directory: string;
  /** How often the directory is read when it does not tell of changes. */
  rereadMs: number;
  nodeName: string;
  clock: Clock;
  log: Logger;
  /** Fills in what the API server would; in place, on a fresh object. */
  applyDefaults: (pod: Pod) => void;
  onPods: (pods: readonly Pod[]) => void;
}): StaticPodSource {
  const { directory, rereadMs, clock, log } = options;
  const known = new Map<string, { text: string; pod: Pod | undefined }>();

  const readPods = async (): Promise<void> => {
    const files = (await namesIn(directory)).filter((name) => !name.startsWith('.')).sort();
    let isChanged = false;
    for (const name of files) {
      const text = await readFile(join(directory, name), 'utf8').catch(() => undefined);
      if (text === undefined || known.get(name)?.text === text) continue;
      isChanged = true;
      known.set(name, { text, pod: readPod(join(directory, name), text, options) });
    }
    for (const name of known.keys()) {
      if (files.includes(name)) continue;
      known.delete(name);
      isChanged = true;
    }
    if (!isChanged) return;
    options.onPods([...known.values()].flatMap(({ pod }) => (pod === undefined ? [] : [pod])));
  };

  return {
    async run(signal) {
      while (!signal.aborted) {
        await readPods().catch((error: unknown) => {
          log.warning('cannot read static pods', { directory, error: messageOf(error) });
        });
        await changeOrTimeout(directory, { rereadMs, clock, signal });
      }
    },
  };
}

function readPod(
  path: string,
  text: string,
  options: { nodeName: string; clock: Clock; log: Logger; applyDefaults: (pod: Pod) => void },
): Pod | undefined {
  try {
    const pod = readYaml(text).value as Pod;
    if (pod?.kind !== 'Pod' || pod.spec === undefined) throw new Error('the file holds no Pod');
    options.applyDefaults(pod);
    return asStaticPod(pod, { ...options, source: 'file', path });
  } catch (error) {
    options.log.warning('a static pod cannot be read', { path, error: messageOf(error) });
    return undefined;
  }
}

/**
 * Name, uid, annotations and toleration that make a manifest a pod of this node. Throws for one
 * that needs objects of the API.
 */
export function asStaticPod(
  pod: Pod,
  {
    source,
    path,
    nodeName,
    clock,
  }: { source: 'file' | 'http'; path: string; nodeName: string; clock: Pick<Clock, 'now'> },
): Pod {
  const reference = apiReference(pod);
  if (reference !== undefined) throw new Error(`static pods may not reference ${reference}`);
  const kind = source === 'file' ? 'file' : 'url';
  const uid = fnv128(`${JSON.stringify(pod)}host:${nodeName}${kind}:${path}`);
  const { metadata } = pod;
  return {
    ...pod,
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: `${metadata.name}-${nodeName.toLowerCase()}`,
      namespace: (metadata.namespace ?? '') === '' ? 'default' : metadata.namespace,
      uid,
      creationTimestamp: formatTime(clock.now()),
      annotations: {
        ...metadata.annotations,
        [podAnnotations.source]: source,
        [podAnnotations.seen]: formatTime(clock.now()),
        [podAnnotations.hash]: uid,
      },
    },
    spec: {
      containers: [],
      ...pod.spec,
      nodeName,
      tolerations: [...(pod.spec?.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
    status: { phase: 'Pending' },
  };
}

const offsetBasis = 0x6c62272e07bb014262b821756295c58dn;
const prime = 0x0000000001000000000000000000013bn;

/** FNV-1a of 128 bits in hex. */
function fnv128(text: string): string {
  let hash = offsetBasis;
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * prime);
  }
  return hash.toString(16).padStart(32, '0');
}

/** Resolves soon after a change in the directory, after 20 s, or when the signal is aborted. */
function changeOrTimeout(
  directory: string,
  { rereadMs, clock, signal }: { rereadMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    let watcher: ReturnType<typeof watch> | undefined;
    const done = (): void => {
      timer.cancel();
      watcher?.close();
      signal.removeEventListener('abort', done);
      resolve();
    };
    let timer = clock.after(rereadMs, done);
    signal.addEventListener('abort', done, { once: true });
    try {
      watcher = watch(directory, () => {
        timer.cancel();
        timer = clock.after(settleMs, done);
      });
      watcher.on('error', done);
    } catch {
      // No such directory yet: the next read finds it.
    }
  });
}
