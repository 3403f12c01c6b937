import type { Clock } from '#base/clock.ts';
import { CriError, grpcCodes } from './cri-error.ts';
import type { CriClient, ImageService, RuntimeService } from './services.ts';
import type {
  ContainerConfig,
  ContainerStatus,
  Image,
  LinuxResources,
  PodSandboxConfig,
  PodSandboxStatus,
} from './types.ts';

/** A runtime in memory, for tests: everything succeeds at once unless told otherwise. */
export interface FakeCri extends CriClient {
  /** Every call that changes something, in order: `RunPodSandbox p`, `StartContainer c`. */
  readonly calls: string[];
  readonly sandboxes: ReadonlyMap<string, PodSandboxStatus>;
  readonly containers: ReadonlyMap<string, ContainerStatus>;
  /** The description of each container that was created, newest last. */
  readonly configs: ContainerConfig[];
  readonly sandboxConfigs: PodSandboxConfig[];
  /** Limits that running containers were given, newest last. */
  readonly updates: LinuxResources[];
  addImage(name: string, more?: Partial<Image>): void;
  /** Ends the newest running container of this name. */
  exit(name: string, exitCode: number): void;
  /**
   * The next calls of this rpc fail with this until it is taken back with undefined. As in `answer
   * of StartContainer` they do what they should and their answer is lost.
   */
  fail(rpc: string, error: Error | undefined): void;
  /** What execSync answers; by default exit code 0. */
  onExec: (command: readonly string[]) => { exitCode: number; output: string };
  /** Called before a container is stopped; resolves when it is gone. */
  onStop: (name: string, graceSeconds: number) => Promise<void>;
}

interface State {
  sandboxes: Map<string, PodSandboxStatus>;
  containers: Map<string, ContainerStatus & { sandboxId: string }>;
  images: Map<string, Image>;
  failures: Map<string, Error>;
  calls: string[];
  nextId: number;
}

export function createFakeCri({ clock }: { clock: Clock }): FakeCri {
  const state: State = {
    sandboxes: new Map(),
    containers: new Map(),
    images: new Map(),
    failures: new Map(),
    calls: [],
    nextId: 1,
  };
  const configs: ContainerConfig[] = [];
  const sandboxConfigs: PodSandboxConfig[] = [];
  const updates: LinuxResources[] = [];
  const check = (rpc: string): void => {
    const failure = state.failures.get(rpc);
    if (failure !== undefined) throw failure;
  };
  const nowNs = (): number => clock.now() * 1e6;
  const end = (container: ContainerStatus, exitCode: number): void => {
    state.containers.set(container.id, {
      ...(container as ContainerStatus & { sandboxId: string }),
      state: 'CONTAINER_EXITED',
      exitCode,
      finishedAt: nowNs(),
      reason: exitCode === 0 ? 'Completed' : 'Error',
    });
  };
  const fake: FakeCri = {
    calls: state.calls,
    sandboxes: state.sandboxes,
    containers: state.containers,
    configs,
    sandboxConfigs,
    updates,
    onExec: () => ({ exitCode: 0, output: '' }),
    onStop: async () => undefined,
    addImage(name, more = {}) {
      const id = `sha256:${name}`;
      const image = {
        id,
        repoTags: [name],
        repoDigests: [],
        size: 100,
        username: '',
        pinned: false,
      };
      state.images.set(name, { ...image, ...more });
    },
    exit(name, exitCode) {
      const running = [...state.containers.values()].filter(
        (one) => one.metadata?.name === name && one.state === 'CONTAINER_RUNNING',
      );
      const newest = running.at(-1);
      if (newest === undefined) throw new Error(`no container ${name} runs`);
      end(newest, exitCode);
    },
    fail(rpc, error) {
      if (error === undefined) state.failures.delete(rpc);
      else state.failures.set(rpc, error);
    },
    runtime: {
      ...fakeSandboxes(state, { check, nowNs, sandboxConfigs, end }),
      ...fakeContainers(state, {
        check,
        nowNs,
        configs,
        updates,
        end,
        stop: (...args) => fake.onStop(...args),
      }),
      execSync: async (_id, command) => {
        check('ExecSync');
        const { exitCode, output } = fake.onExec(command);
        return { exitCode, stdout: Buffer.from(output), stderr: Buffer.alloc(0) };
      },
    },
    images: fakeImages(state, check),
    close: () => undefined,
  };
  return fake;
}

function notFound(rpc: string, id: string): CriError {
  return new CriError({ rpc, grpcCode: grpcCodes.notFound, details: `${id}: not found` });
}

interface Tools {
  check: (rpc: string) => void;
  nowNs: () => number;
  end: (container: ContainerStatus, exitCode: number) => void;
}

function fakeSandboxes(
  state: State,
  { check, nowNs, sandboxConfigs, end }: Tools & { sandboxConfigs: PodSandboxConfig[] },
) {
  const { sandboxes, containers, calls } = state;
  return {
    version: async () => ({
      version: '0.1.0',
      runtimeName: 'containerd',
      runtimeVersion: 'fake',
      runtimeApiVersion: 'v1',
    }),
    status: async () => {
      check('Status');
      const ready = { status: true, reason: '', message: '' };
      const conditions = [
        { type: 'RuntimeReady', ...ready },
        { type: 'NetworkReady', ...ready },
      ];
      return { status: { conditions }, info: {}, runtimeHandlers: [] };
    },
    cgroupDriver: async () => undefined,
    updatePodCidr: async () => undefined,
    async runPodSandbox(config: PodSandboxConfig): Promise<string> {
      calls.push(`RunPodSandbox ${config.metadata.name}`);
      check('RunPodSandbox');
      sandboxConfigs.push(config);
      const number = state.nextId++;
      const id = `sandbox-${number}`;
      const { securityContext } = config.linux;
      sandboxes.set(id, {
        id,
        metadata: config.metadata,
        state: 'SANDBOX_READY',
        createdAt: nowNs() + number,
        labels: config.labels,
        annotations: config.annotations,
        runtimeHandler: '',
        network: { ip: `10.42.0.${number}`, additionalIps: [] },
        linux: { namespaces: { options: securityContext.namespaceOptions } },
      });
      return id;
    },
    async stopPodSandbox(id: string): Promise<void> {
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) return;
      calls.push(`StopPodSandbox ${sandbox.metadata?.name}`);
      check('StopPodSandbox');
      sandboxes.set(id, { ...sandbox, state: 'SANDBOX_NOTREADY' });
      for (const one of containers.values()) {
        if (one.sandboxId === id && one.state === 'CONTAINER_RUNNING') end(one, 137);
      }
    },
    async removePodSandbox(id: string): Promise<void> {
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) return;
      calls.push(`RemovePodSandbox ${sandbox.metadata?.name}`);
      sandboxes.delete(id);
    },
    async podSandboxStatus(id: string): Promise<PodSandboxStatus> {
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) throw notFound('PodSandboxStatus', id);
      return sandbox;
    },
    listPodSandbox: async () => {
      check('ListPodSandbox');
      return [...sandboxes.values()];
    },
  } satisfies Partial<RuntimeService>;
}

function fakeContainers(
  state: State,
  {
    check,
    nowNs,
    configs,
    updates,
    end,
    stop,
  }: Tools & { configs: ContainerConfig[]; updates: LinuxResources[]; stop: FakeCri['onStop'] },
) {
  const { containers, calls } = state;
  const get = (rpc: string, id: string): ContainerStatus & { sandboxId: string } => {
    const container = containers.get(id);
    if (container === undefined) throw notFound(rpc, id);
    return container;
  };
  const unsupported = async (): Promise<never> => {
    throw new CriError({
      rpc: 'fake',
      grpcCode: grpcCodes.unimplemented,
      details: 'not in the fake',
    });
  };
  return {
    async createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
      calls.push(`CreateContainer ${config.metadata.name}`);
      check('CreateContainer');
      configs.push(config);
      const number = state.nextId++;
      const id = `container-${number}`;
      containers.set(id, {
        id,
        sandboxId,
        metadata: config.metadata,
        state: 'CONTAINER_CREATED',
        createdAt: nowNs() + number,
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        image: config.image,
        imageRef: config.image.image,
        imageId: config.image.image,
        reason: '',
        message: '',
        labels: config.labels,
        annotations: config.annotations,
        mounts: config.mounts,
        logPath: config.logPath,
      });
      check('answer of CreateContainer');
      return id;
    },
    async startContainer(id: string): Promise<void> {
      const container = get('StartContainer', id);
      calls.push(`StartContainer ${container.metadata?.name}`);
      check('StartContainer');
      containers.set(id, { ...container, state: 'CONTAINER_RUNNING', startedAt: nowNs() });
      check('answer of StartContainer');
    },
    async stopContainer(id: string, graceSeconds: number): Promise<void> {
      const container = get('StopContainer', id);
      const name = container.metadata?.name ?? '';
      calls.push(`StopContainer ${name} ${graceSeconds}s`);
      check('StopContainer');
      await stop(name, graceSeconds);
      end(container, 143);
    },
    async removeContainer(id: string): Promise<void> {
      const container = containers.get(id);
      if (container === undefined) return;
      calls.push(`RemoveContainer ${container.metadata?.name}`);
      containers.delete(id);
    },
    async listContainers() {
      check('ListContainers');
      return [...containers.values()].map((one) => ({ ...one, podSandboxId: one.sandboxId }));
    },
    async containerStatus(id: string) {
      check('ContainerStatus');
      return get('ContainerStatus', id);
    },
    async updateContainerResources(id: string, resources: LinuxResources): Promise<void> {
      const container = get('UpdateContainerResources', id);
      calls.push(`UpdateContainerResources ${container.metadata?.name}`);
      check('UpdateContainerResources');
      updates.push(resources);
    },
    reopenContainerLog: async () => undefined,
    checkpointContainer: async () => undefined,
    exec: unsupported,
    attach: unsupported,
    portForward: unsupported,
    listContainerStats: async () => [],
    // oxlint-disable-next-line require-yield -- an iterable that fails at once, as containerd 1.6
    async *containerEvents() {
      await unsupported();
    },
  } satisfies Partial<RuntimeService>;
}

function fakeImages(state: State, check: (rpc: string) => void): ImageService {
  const { images, calls } = state;
  return {
    listImages: async () => [...images.values()],
    imageStatus: async ({ image }) =>
      images.get(image) ?? [...images.values()].find(({ id }) => id === image),
    imageInfo: async ({ image }) => ({ info: JSON.stringify({ chainID: `chain of ${image}` }) }),
    async pullImage({ image }) {
      calls.push(`PullImage ${image}`);
      check('PullImage');
      const id = `sha256:${image}`;
      images.set(image, {
        id,
        repoTags: [image],
        repoDigests: [],
        size: 100,
        username: '',
        pinned: false,
      });
      return id;
    },
    async removeImage({ image }) {
      calls.push(`RemoveImage ${image}`);
      for (const [name, { id }] of images) if (id === image || name === image) images.delete(name);
    },
    imageFsInfo: async () => ({ imageFilesystems: [], containerFilesystems: [] }),
  };
}
