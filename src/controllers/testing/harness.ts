import { formatTime } from '#base/clock.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { seededRandom } from '#base/random.ts';
import {
  createEventRecorder,
  createInformerFactory,
  createQueueMeter,
  resources,
} from '#client/mod.ts';
import { createFakeClient } from '#client/testing/mod.ts';
import type { FakeClient } from '#client/testing/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { CoreV1Event, Pod } from '#schema/types.ts';
import type { ControllerOptions, StartController } from '../context.ts';

/** Controllers over a fake API server, moved on by `run`. */
export interface Harness {
  readonly client: FakeClient;
  readonly clock: FakeClock;
  readonly metrics: MetricRegistry;
  /** Starts the controllers on the first call, then lets this much time pass. */
  run(ms?: number): Promise<void>;
  /** `<reason>: <message>` of all events, oldest first, with their counts when repeated. */
  events(): string[];
  stop(): Promise<void>;
}

export function createHarness(
  controllers: readonly StartController[],
  setup: { objects?: readonly KubeObject[]; options?: Partial<ControllerOptions> } = {},
): Harness {
  const clock = new FakeClock();
  const random = seededRandom(11);
  const client = createFakeClient({ clock, random, objects: setup.objects ?? [] });
  const stop = new AbortController();
  const { signal } = stop;
  const log = silentLogger;
  const informers = createInformerFactory({ client, clock, random, log, signal });
  const events = createEventRecorder({ client, clock, random, log, component: 'test', signal });
  const options: ControllerOptions = {
    resources: () => [],
    rootCa: '-----BEGIN CERTIFICATE-----',
    clusterCidrs: ['10.42.0.0/16'],
    ...setup.options,
  };
  const metrics = new MetricRegistry();
  const queueMeter = createQueueMeter({ registry: metrics, clock, signal });
  let running: Promise<unknown> | undefined;
  return {
    client,
    clock,
    metrics,
    async run(ms = 0) {
      const shared = { informers, clock, random, log, signal, options, metrics, queueMeter };
      const context = { ...shared, client, events };
      running ??= Promise.all(controllers.map((start) => start(context)));
      informers.start();
      await clock.advance(0);
      await clock.advance(ms);
      await clock.advance(0);
    },
    events: () =>
      client
        .all<CoreV1Event>(resources.events)
        .toSorted((a, b) => versionOf(a) - versionOf(b))
        .map(({ reason, message, count = 1 }) =>
          count > 1 ? `${reason}: ${message} (x${count})` : `${reason}: ${message}`,
        ),
    async stop() {
      stop.abort();
      await running;
    },
  };
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata.resourceVersion);
}

/** Sets a pod's phase and Ready condition, as a kubelet would. */
export function setPodReady(
  client: FakeClient,
  key: string,
  isReady: boolean,
  nowMs: number,
): void {
  client.modify<Pod>(resources.pods, key, (pod) => ({
    ...pod,
    status: {
      ...pod.status,
      phase: 'Running',
      conditions: [
        {
          type: 'Ready',
          status: isReady ? 'True' : 'False',
          lastTransitionTime: formatTime(nowMs),
        },
      ],
    },
  }));
}

/** Plays all kubelets once: pods that are going away are gone, the others run and are ready. */
export function playKubelets(harness: Harness, isReady: (pod: Pod) => boolean = () => true): void {
  const { client, clock } = harness;
  for (const pod of client.all<Pod>(resources.pods)) {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (pod.metadata.deletionTimestamp !== undefined) client.remove(resources.pods, key);
    else if (pod.status?.phase === 'Pending' && isReady(pod)) {
      setPodReady(client, key, true, clock.now());
    }
  }
}
