import { messageOf } from '#base/errors.ts';
import type { EventRecorder } from '#client/mod.ts';
import { every } from './every.ts';
import type { ImageGc } from './images/image-gc.ts';
import type { KubeletOptions } from './kubelet-options.ts';
import { rotateLogs } from './logs/log-rotation.ts';
import { nodeReference } from './node/node-reporter.ts';
import { collectContainers } from './pods/container-gc.ts';
import type { PodRegistry } from './pods/pod-registry.ts';
import type { RuntimeCache } from './pods/runtime-cache.ts';
import { isRunning } from './pods/runtime-pod.ts';

const containerGcMs = 60_000;
const imageGcMs = 300_000;
const leftoversMs = 60_000;

export interface HousekeepingOptions extends Pick<
  KubeletOptions,
  'cri' | 'clock' | 'log' | 'config' | 'machineUsage' | 'nodeName'
> {
  readonly recorder: EventRecorder;
  readonly cache: RuntimeCache;
  readonly imageGc: ImageGc;
  readonly registry: PodRegistry;
  readonly signal: AbortSignal;
}

/** What is done in intervals until the signal is aborted: collecting and rotating. */
export async function runHousekeeping(options: HousekeepingOptions): Promise<void> {
  const { cri, cache, imageGc, registry, config, recorder, nodeName } = options;
  const warn = (reason: string, error: unknown): void =>
    recorder.event(nodeReference(nodeName), 'Warning', reason, messageOf(error));

  let hasImageGcFailed = false;
  await Promise.all([
    every(
      containerGcMs,
      'container collection',
      () =>
        collectContainers({ ...options, runtime: cri.runtime }).catch((error: unknown) => {
          warn('ContainerGCFailed', error);
          throw error;
        }),
      options,
    ),
    every(
      imageGcMs,
      'image collection',
      async () => {
        const { imageFs } = await options.machineUsage();
        if (imageFs.capacityBytes === 0) {
          warn('InvalidDiskCapacity', new Error('invalid capacity 0 on image filesystem'));
          return;
        }
        try {
          await imageGc.collect(imageFs);
          hasImageGcFailed = false;
        } catch (error) {
          warn('FreeDiskSpaceFailed', error);
          // The first failure may be over with the next collection.
          if (hasImageGcFailed) warn('ImageGCFailed', error);
          hasImageGcFailed = true;
        }
      },
      options,
    ),
    every(leftoversMs, 'pod cleanup', () => registry.adoptOrphans(), options),
    every(
      config.containerLogMonitorMs,
      'log rotation',
      () =>
        rotateLogs({
          ...options,
          runtime: cri.runtime,
          containers: cache.pods().flatMap(({ containers }) => containers.filter(isRunning)),
          maxSizeBytes: config.containerLogMaxSizeBytes,
          maxFiles: config.containerLogMaxFiles,
        }),
      options,
    ),
  ]);
}
