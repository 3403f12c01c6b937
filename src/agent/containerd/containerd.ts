import { readFile, rm, writeFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { hasCode, K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { goArchitecture } from '#host/machine.ts';
import { isProcessAlive, signalProcess } from '#host/process.ts';
import { spawnSupervised, type SupervisedProcess } from '#host/supervised-process.ts';
import { findRuntimeBinaries, type RuntimeBinaries } from './binaries.ts';
import { probeRuntime, type RuntimeVersion } from './cri-probe.ts';
import { createImageStore, type ImageStore } from './ctr.ts';
import { cniStateDirectory } from './cni-files.ts';
import { releaseForgottenLeases } from './forgotten-leases.ts';
import { sandboxNamespaces, watchLeakedNetworks } from './leaked-networks.ts';
import { listContainerIds, watchLeakedShims } from './leaked-shims.ts';
import { keepRotating } from './log-rotation.ts';
import { defaultPauseImage, packPauseImage } from './pause-image.ts';
import {
  findPredecessor,
  forgetPredecessor,
  notePredecessor,
  readPredecessor,
} from './predecessor.ts';
import type { Predecessor } from './predecessor.ts';
import { removeTornCniFiles } from './torn-cni-files.ts';
import { containerdPaths, writeConfiguration } from './write-config.ts';
import type { ContainerdPaths, ContainerdSettings } from './write-config.ts';

export interface ContainerdOptions extends ContainerdSettings {
  /** k3s' data directory, `/var/lib/rancher/k3s`. */
  dataDir: string;
  /** `/run/k3s`. */
  runDir: string;
  /** The PATH variable. */
  path: string;
  /** The whole environment of containerd; proxies and PATH matter to it. */
  environment: Readonly<Record<string, string>>;
  clock: Clock;
  log: Logger;
  /** Aborts waiting for readiness; it does not stop a running containerd, see `stop`. */
  signal: AbortSignal;
}

/** A containerd that answers on its socket. */
export interface Containerd {
  readonly socket: string;
  /** For the CRI: `unix:///run/k3s/containerd/containerd.sock`. */
  readonly endpoint: string;
  readonly version: RuntimeVersion;
  readonly paths: ContainerdPaths;
  readonly images: ImageStore;
  /** The snapshotter that images are unpacked with. */
  readonly snapshotter: string;
  /** It was running already, started by an earlier k3ts. */
  readonly isAdopted: boolean;
  /** Stops containerd; containers go on running under their shims. */
  stop(): Promise<void>;
  /** Leaves containerd running for the next k3ts to adopt. */
  release(): void;
}

/** Probes are this far apart; a probe of a missing socket fails at once. */
const probePeriodMs = 25;
const readyTimeoutMs = 60_000;
const stopTimeoutMs = 15_000;
const adoptedCheckMs = 1000;

/**
 * Writes the configuration and makes sure that containerd runs with it: one that answers on the
 * socket with the same configuration is adopted, one with another configuration is restarted
 * (containers are not touched). Then imports the pause image if it is absent.
 */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { clock, log, runDir, dataDir } = options;
  const binaries = await findRuntimeBinaries(options.path);
  const paths = containerdPaths(dataDir, runDir);
  const written = await writeConfiguration({ ...options, paths, version: binaries.version });
  const adoptedPid = written.hasChanged
    ? await stopRunning(paths, clock, log)
    : await findRunning(paths, clock);
  const lifetime = new AbortController();
  let watching = new AbortController();
  const lookForLeakedShims = (): void => {
    watching.abort();
    watching = new AbortController();
    const signal = AbortSignal.any([lifetime.signal, watching.signal]);
    void watchLeakedShims({ ...paths, ...binaries, clock, log, signal });
  };
  const mendLeftovers = async (predecessor: Predecessor, signal: AbortSignal): Promise<void> => {
    const { endedByMs } = predecessor;
    const containerIds = () => listContainerIds({ ...paths, ...binaries });
    const places = { namespaces: sandboxNamespaces, cniState: cniStateDirectory };
    await Promise.all([
      releaseForgottenLeases({ ...paths, ...binaries, beforeMs: endedByMs, clock, log, signal }),
      watchLeakedNetworks(predecessor, { ...places, containerIds, clock, log, signal }),
      removeTornCniFiles({ directory: cniStateDirectory, beforeMs: endedByMs, log }),
    ]);
    if (!signal.aborted) await forgetPredecessor(paths.predecessor);
  };
  /** Another containerd than the one that made what is there has begun, or one is adopted. */
  const mend = (find: () => Promise<Predecessor | undefined>): void => {
    lookForLeakedShims();
    const signal = AbortSignal.any([lifetime.signal, watching.signal]);
    const work = async (): Promise<void> => {
      const predecessor = await find();
      if (predecessor !== undefined) await mendLeftovers(predecessor, signal);
    };
    work().catch((error: unknown) =>
      log.warning('cannot clean up after an ended containerd', { what: messageOf(error) }),
    );
  };
  const onBegun = (): void =>
    mend(async () => {
      const places = { namespaces: sandboxNamespaces, cniState: cniStateDirectory };
      const predecessor = await findPredecessor({ ...places, clock });
      await notePredecessor(paths.predecessor, predecessor);
      return predecessor;
    });
  const supervisor = supervise(options, binaries, paths, adoptedPid, onBegun);
  if (adoptedPid !== undefined) mend(() => readPredecessor(paths.predecessor));
  keepRotating({
    path: paths.log,
    maxSizeBytes: 50 * 1024 * 1024,
    keep: 3,
    clock,
    log,
    signal: lifetime.signal,
  });
  try {
    const version = await waitUntilReady(options, paths, supervisor);
    log.info(adoptedPid === undefined ? 'containerd is ready' : 'adopted a running containerd', {
      version: version.runtimeVersion,
      pid: supervisor.pid(),
    });
    const images = createImageStore({
      ctr: binaries.ctr,
      socket: paths.socket,
      snapshotter: written.snapshotter,
      majorVersion: binaries.version.major,
    });
    await ensurePauseImage(options.pauseImage, images, log);
    return {
      socket: paths.socket,
      endpoint: `unix://${paths.socket}`,
      version,
      paths,
      images,
      snapshotter: written.snapshotter,
      isAdopted: adoptedPid !== undefined,
      async stop() {
        lifetime.abort();
        await supervisor.stop();
      },
      release() {
        lifetime.abort();
        supervisor.release();
      },
    };
  } catch (error) {
    lifetime.abort();
    await supervisor.stop();
    throw error;
  }
}

/** The pid of a containerd that answers on our socket; undefined when none does. */
async function findRunning(paths: ContainerdPaths, clock: Clock): Promise<number | undefined> {
  const pid = await readPid(paths.pidFile);
  if (pid === undefined || !isProcessAlive(pid)) return undefined;
  try {
    await probeRuntime({ socket: paths.socket, timeoutMs: 2000, clock });
    return pid;
  } catch {
    // Alive but deaf, or the pid now belongs to somebody else: a new one takes the socket over.
    return undefined;
  }
}

async function readPid(file: string): Promise<number | undefined> {
  try {
    const pid = Number((await readFile(file, 'utf8')).trim());
    if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
    // Pids are used again, after a reboot above all.
    const command = await readFile(`/proc/${pid}/comm`, 'utf8');
    return command.trim() === 'containerd' ? pid : undefined;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}

async function stopRunning(paths: ContainerdPaths, clock: Clock, log: Logger): Promise<undefined> {
  const pid = await readPid(paths.pidFile);
  if (pid === undefined || !isProcessAlive(pid)) return undefined;
  log.info('restarting containerd with a changed configuration', { pid });
  await endProcess(pid, clock);
  return undefined;
}

/** SIGTERM, then SIGKILL to a process that is not our child. */
async function endProcess(pid: number, clock: Clock): Promise<void> {
  const deadlineMs = clock.monotonicMs() + stopTimeoutMs;
  signalProcess(pid, 'SIGTERM');
  while (isProcessAlive(pid)) {
    if (clock.monotonicMs() > deadlineMs) signalProcess(pid, 'SIGKILL');
    await clock.sleep(probePeriodMs);
  }
}

interface Supervisor {
  pid(): number | undefined;
  /** Why the process we started ended, while no new one runs. */
  failure(): string | undefined;
  stop(): Promise<void>;
  release(): void;
}

/** Watches an adopted process until it ends, and our own child from then on. */
function supervise(
  options: ContainerdOptions,
  binaries: RuntimeBinaries,
  paths: ContainerdPaths,
  adoptedPid: number | undefined,
  /** Another containerd than the one that made what runs now has begun. */
  onBegun: () => void,
): Supervisor {
  const { clock, log, environment } = options;
  let child: SupervisedProcess | undefined;
  let failure: string | undefined;
  const watching = new AbortController();
  const start = (): void => {
    child = spawnSupervised({
      name: 'containerd',
      command: binaries.containerd,
      args: ['--config', paths.config],
      env: withoutNotifySocket(environment),
      clock,
      log,
      output: { file: paths.log },
      survivesParent: true,
      restart: 'always',
      stopTimeoutMs,
      onStart: (pid) => {
        failure = undefined;
        onBegun();
        writeFile(paths.pidFile, `${pid}\n`).catch((error: unknown) =>
          log.warning('cannot write the pid file of containerd', { what: messageOf(error) }),
        );
      },
      onExit: (exit) => {
        failure = exit.error?.message ?? `exit code ${exit.exitCode ?? exit.signal}`;
      },
    });
  };
  const watchAdopted = async (pid: number): Promise<void> => {
    while (isProcessAlive(pid)) await clock.sleep(adoptedCheckMs, watching.signal);
    log.warning('the adopted containerd ended, starting it again', { pid });
    start();
  };
  if (adoptedPid === undefined) start();
  else {
    watchAdopted(adoptedPid).catch((error: unknown) => {
      if (!watching.signal.aborted) log.error('containerd', { what: messageOf(error) });
    });
  }
  return {
    pid: () => child?.pid ?? adoptedPid,
    failure: () => failure,
    async stop() {
      watching.abort();
      if (child !== undefined) await child.stop();
      else if (adoptedPid !== undefined) await endProcess(adoptedPid, clock);
      await rm(paths.pidFile, { force: true });
    },
    release() {
      watching.abort();
      child?.release();
    },
  };
}

function withoutNotifySocket(
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => name !== 'NOTIFY_SOCKET'),
  );
}

async function waitUntilReady(
  options: ContainerdOptions,
  paths: ContainerdPaths,
  supervisor: Supervisor,
): Promise<RuntimeVersion> {
  const { clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + readyTimeoutMs;
  for (;;) {
    try {
      return await probeRuntime({ socket: paths.socket, timeoutMs: 2000, clock });
    } catch (error) {
      const failure = supervisor.failure();
      const isLate = clock.monotonicMs() > deadlineMs;
      if (failure !== undefined || isLate) {
        const what = failure ?? `no answer within ${readyTimeoutMs / 1000} s: ${messageOf(error)}`;
        throw new K3tsError(
          'ContainerdFailed',
          `containerd does not run (${what}); last line of ${paths.log}: ` +
            (await lastLine(paths.log)),
          { cause: error },
        );
      }
    }
    await clock.sleep(probePeriodMs, signal);
  }
}

async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** Imports our own pause image under k3s' name; any other name is left to the runtime to pull. */
async function ensurePauseImage(name: string, images: ImageStore, log: Logger): Promise<void> {
  const complete = name === 'rancher/mirrored-pause:3.6' ? defaultPauseImage : name;
  if (complete !== defaultPauseImage) return;
  if ((await images.list()).has(complete)) return;
  const archive = await packPauseImage({ name: complete, architecture: goArchitecture() });
  await images.pin(await images.import(archive));
  log.debug('imported the pause image', { name: complete });
}
