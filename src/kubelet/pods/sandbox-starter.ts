import { mkdir } from 'node:fs/promises';
import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod } from '#schema/types.ts';
import { parseResolvConf, podDns } from '../containers/dns.ts';
import { sandboxHostname } from '../containers/hosts-file.ts';
import { sandboxConfig } from '../containers/sandbox-config.ts';
import type { PodSandboxConfig, PodSandboxStatus, UserNamespace } from '../cri/mod.ts';
import { podKey, podLogDirectory, uidOf } from './names.ts';
import type { PodContext } from './pod-context.ts';

/** Describes the pod's sandbox; needed again for each container that is created in it. */
export async function describeSandbox(
  pod: Pod,
  attempt: number,
  context: PodContext,
  options: { isWarning: boolean; userNamespace: UserNamespace | undefined },
): Promise<PodSandboxConfig> {
  const { config, hostFiles, events } = context;
  const host = parseResolvConf(await hostFiles.readResolvConf());
  const dns = podDns(pod, host, config);
  if (options.isWarning) {
    for (const { reason, message } of dns.warnings) events.pod(pod, 'Warning', reason, message);
  }
  return sandboxConfig({
    pod,
    attempt,
    hostname: sandboxHostname(pod, config.clusterDomain),
    dns: dns.config,
    podLogsRoot: context.hostPaths.podLogs,
    cgroupParent: context.cgroups.parentOf(pod),
    userNamespace: options.userNamespace,
  });
}

/** A sandbox that runs, and how it was described. */
export interface Sandbox {
  readonly sandbox: PodSandboxStatus;
  readonly config: PodSandboxConfig;
  readonly userNamespace: UserNamespace | undefined;
}

/** Runs a new sandbox and puts it into the cache. Reports its failure as an event and rethrows. */
export async function startSandbox(
  pod: Pod,
  attempt: number,
  context: PodContext,
  signal: AbortSignal,
): Promise<Sandbox> {
  const { runtime, cache, events, hostPaths } = context;
  const subject = { key: podKey(pod), uid: uidOf(pod) };
  try {
    const handler = await context.runtimeHandler(pod);
    const userNamespace = await context.userNamespaces.of(pod, handler);
    const [config] = await Promise.all([
      describeSandbox(pod, attempt, context, { isWarning: true, userNamespace }),
      mkdir(podLogDirectory(hostPaths.podLogs, pod), { recursive: true, mode: 0o755 }),
    ]);
    const id = await traced('pod.run-sandbox', subject, () =>
      runtime.runPodSandbox(config, handler, { signal }),
    );
    const sandbox = await runtime.podSandboxStatus(id);
    cache.putSandbox(sandbox);
    return { sandbox, config, userNamespace };
  } catch (error) {
    if (!signal.aborted) {
      const message = `Failed to create pod sandbox: ${messageOf(error)}`;
      events.pod(pod, 'Warning', 'FailedCreatePodSandBox', message);
    }
    throw error;
  }
}
