import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Pod } from '#schema/types.ts';
import type { CpuManager } from '../cpus/mod.ts';
import type { KubeletMetrics } from '../metrics/mod.ts';
import type { MemoryManager } from '../memory/mod.ts';
import { uidOf } from '../pods/names.ts';
import type { HintProvider, NumaNodes } from '../topology/mod.ts';
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import { deviceTables } from './device-messages.ts';
import type { ContainerDevices, PluginOptions, RegisterRequest } from './device-messages.ts';
import { createDeviceStore } from './device-store.ts';
import type { DeviceStore } from './device-store.ts';
import { serveOnSocket } from './grpc-server.ts';
import { servePodResources } from './pod-resources.ts';
import { connectPlugin } from './plugin-client.ts';
import type { PluginClient } from './plugin-client.ts';

/** Devices of this node that plugins bring, and who gets them. */
export interface DevicePlugins {
  readonly store: DeviceStore;
  /** Reserves devices for the topology manager. */
  readonly provider: HintProvider;
  /** Asks the plugins to prepare a container's devices; undefined when it has none. */
  prepare(pod: Pod, container: string): Promise<ContainerDevices | undefined>;
  /** Plugin resources for node.status. */
  counts(): ReturnType<DeviceStore['counts']>;
  /** Opens both sockets and serves until the signal is aborted; failures are logged. */
  run(options: {
    podResourcesSocket: string;
    pods: () => readonly Pod[];
    signal: AbortSignal;
  }): Promise<void>;
}

const kubeletSocket = 'kubelet.sock';
const checkpointFile = 'kubelet_internal_checkpoint';
const supportedVersion = 'v1beta1';

interface Endpoint {
  readonly client: PluginClient;
  readonly options: PluginOptions | undefined;
  readonly stop: AbortController;
}

/** `directory` is usually /var/lib/kubelet/device-plugins. */
export function createDevicePlugins(options: {
  directory: string;
  clock: Clock;
  log: Logger;
  /** Of the machine; one node when absent. */
  nodes?: NumaNodes | undefined;
  /** Told by the pod resources API beside devices. */
  cpus?: Pick<CpuManager, 'exclusive' | 'allocatable'> | undefined;
  memory?: Pick<MemoryManager, 'blocks' | 'allocatable'> | undefined;
  metrics?:
    | Pick<KubeletMetrics, 'deviceRegistrations' | 'deviceAllocation' | 'podResources'>
    | undefined;
  /** Node capacity has changed. */
  onChange: () => void;
}): DevicePlugins {
  const { directory, clock, log, cpus, memory, onChange } = options;
  const store = createDeviceStore(options.nodes);
  const endpoints = new Map<string, Endpoint>();
  const checkpointPath = join(directory, checkpointFile);
  const answers = new Map<string, Promise<ContainerDevices>>();

  let saving: Promise<void> = Promise.resolve();
  const save = (): void => {
    saving = saving
      .then(() => writeCheckpoint(checkpointPath, store))
      .catch((error: unknown) =>
        log.warning('Cannot write the checkpoint of devices', { error: messageOf(error) }),
      );
  };
  const changed = (): void => {
    save();
    onChange();
  };

  const gone = (resource: string, endpoint: Endpoint): void => {
    endpoint.client.close();
    if (endpoints.get(resource) !== endpoint) return;
    endpoints.delete(resource);
    store.stop(resource);
    log.warning('A device plugin is gone', { resource });
    changed();
  };
  const register = async (request: RegisterRequest, signal: AbortSignal): Promise<object> => {
    const { version, endpoint: socket, resourceName } = request;
    if (version !== supportedVersion) {
      throw new K3tsError(
        'DevicePlugin',
        `requested API version "${version}" is not supported by kubelet. Supported version is ["${supportedVersion}"]`,
      );
    }
    if (!/^[^/]+\/[^/]+$/.test(resourceName) || resourceName.startsWith('kubernetes.io/')) {
      throw new K3tsError('DevicePlugin', `the ResourceName "${resourceName}" is invalid`);
    }
    const client = await connectPlugin({ socketPath: join(directory, socket), clock });
    endpoints.get(resourceName)?.stop.abort();
    const stop = new AbortController();
    const endpoint: Endpoint = { client, options: request.options, stop };
    endpoints.set(resourceName, endpoint);
    const { metrics } = options;
    if (metrics !== undefined) metrics.deviceRegistrations.with(resourceName).value += 1;
    log.info('Registered a device plugin', { resource: resourceName });
    client
      .watch(
        (devices) => {
          if (endpoints.get(resourceName) !== endpoint) return;
          store.setDevices(resourceName, devices);
          changed();
        },
        AbortSignal.any([stop.signal, signal]),
      )
      .catch((error: unknown) => {
        if (!signal.aborted) {
          log.warning('A device plugin ended its list', {
            resource: resourceName,
            error: messageOf(error),
          });
        }
      })
      .finally(() => gone(resourceName, endpoint))
      .catch(() => undefined);
    return {};
  };

  /** The plugin may know better which devices fit together. */
  const prefer = async (
    uid: string,
    container: string,
    resource: string,
    { client }: Endpoint,
  ): Promise<void> => {
    const size = store.allocation(uid, container).get(resource)?.length ?? 0;
    const choice = store.choice(uid, container, resource);
    if (choice === undefined || choice.available.length <= size) return;
    try {
      const chosen = await client.preferred({ ...choice, size });
      store.replace(uid, container, resource, [...chosen]);
    } catch (error) {
      log.warning('No preferred devices', { resource, error: messageOf(error) });
    }
  };
  const ask = async (uid: string, container: string): Promise<ContainerDevices> => {
    const all: ContainerDevices[] = [];
    for (const resource of store.allocation(uid, container).keys()) {
      const endpoint = endpoints.get(resource);
      if (endpoint === undefined) {
        throw new K3tsError('DevicePlugin', `no endpoint for resource ${resource}`);
      }
      const has = endpoint.options?.getPreferredAllocationAvailable === true;
      if (has) await prefer(uid, container, resource, endpoint);
      const ids = store.allocation(uid, container).get(resource) ?? [];
      const startMs = clock.monotonicMs();
      all.push(await endpoint.client.allocate(ids));
      options.metrics?.deviceAllocation
        .with(resource)
        .observe((clock.monotonicMs() - startMs) / 1000);
    }
    // A container must not run with devices that a restarted kubelet would give to others.
    save();
    await saving;
    return merged(all);
  };

  const serve: DevicePlugins['run'] = async ({ podResourcesSocket, pods, signal }) => {
    await mkdir(directory, { recursive: true, mode: 0o750 });
    await readCheckpoint(checkpointPath, store, log);
    // Plugins watch this directory: their sockets' end tells them to register anew.
    for (const name of await readdir(directory)) {
      if (name !== checkpointFile)
        await rm(join(directory, name), { recursive: true, force: true });
    }
    const server = await serveOnSocket({
      socketPath: join(directory, kubeletSocket),
      tables: deviceTables,
      methods: {
        '/v1beta1.Registration/Register': {
          types: ['RegisterRequest', 'Empty'],
          answer: (request) => register(request as RegisterRequest, signal),
        },
      },
    });
    const resources = await servePodResources({
      socketPath: podResourcesSocket,
      store,
      cpus,
      memory,
      metrics: options.metrics?.podResources,
      pods,
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.all([server.close(), resources.close()]);
    for (const { client } of endpoints.values()) client.close();
    await saving;
  };

  return {
    store,
    provider: {
      releaseOthers: (holders) => store.releaseOthers(holders),
      holds: (uid) => store.allocations().has(uid),
      hints: (pod, container) => store.hints(pod, container),
      podHints: (pod) => store.podHints(pod),
      allocate: (pod, container, { mask }) => store.allocate(pod, container, mask),
      release: (uid) => store.release(uid),
      settle(pod) {
        if (store.allocations().has(uidOf(pod))) save();
      },
    },
    async prepare(pod, container) {
      const uid = uidOf(pod);
      const allocation = store.allocation(uid, container);
      if (allocation.size === 0) return undefined;
      const key = `${uid}/${container}`;
      // The answer is good for every start of the container; a failed question is asked again.
      const answer = answers.get(key) ?? ask(uid, container);
      answers.set(key, answer);
      const prepared = await answer.catch((error: unknown) => {
        answers.delete(key);
        throw error;
      });
      for (const [resource, ids] of store.allocation(uid, container)) {
        const endpoint = endpoints.get(resource);
        if (endpoint?.options?.preStartRequired === true) await endpoint.client.preStart(ids);
      }
      for (const known of answers.keys()) {
        if (!store.allocations().has(known.split('/')[0] ?? '')) answers.delete(known);
      }
      return prepared;
    },
    counts: () => store.counts(),
    async run({ signal, ...more }) {
      try {
        await serve({ signal, ...more });
      } catch (error) {
        if (!signal.aborted) log.error('No device plugins', { error: messageOf(error) });
      }
    },
  };
}

function merged(all: readonly ContainerDevices[]): ContainerDevices {
  return {
    envs: Object.assign({}, ...all.map(({ envs }) => envs)) as Record<string, string>,
    mounts: all.flatMap(({ mounts }) => mounts),
    devices: all.flatMap(({ devices }) => devices),
    annotations: Object.assign({}, ...all.map((one) => one.annotations)) as Record<string, string>,
    cdiDevices: all.flatMap(({ cdiDevices }) => cdiDevices),
  };
}
