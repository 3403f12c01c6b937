import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { LifecycleHandler, Pod } from '#schema/types.ts';
import type { RuntimeService } from '../cri/mod.ts';
import { actionUrl, httpGet } from '../probes/http-get.ts';
import { podText } from './names.ts';
import type { AnyContainer } from './names.ts';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly containerId: string;
  readonly podIp: string;
}

/** Runs postStart and preStop handlers; rejects with upstream's text when one fails. */
export async function runLifecycleHook(
  handler: LifecycleHandler,
  target: HookTarget,
  options: { runtime: RuntimeService; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { pod, container, containerId, podIp } = target;
  const { runtime, clock, signal } = options;
  const where = `for Container "${container.name}" in Pod "${podText(pod)}"`;
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    await execHook(command, containerId, where, { runtime, signal });
  } else if (handler.httpGet !== undefined) {
    const { host = '' } = handler.httpGet;
    try {
      const url = actionUrl(handler.httpGet, host === '' ? podIp : host, container);
      await httpGet({ action: handler.httpGet, url, userAgent: 'kube-lifecycle/1.36', signal });
    } catch (error) {
      const path = handler.httpGet.path ?? '';
      throw new Error(
        `HTTP lifecycle hook (${path}) ${where} failed - error: ${messageOf(error)}`,
        { cause: error },
      );
    }
  } else if (handler.sleep !== undefined) {
    await clock.sleep(handler.sleep.seconds * 1000, signal);
  } else if (handler.tcpSocket === undefined) {
    throw new Error(`invalid handler: ${JSON.stringify(handler)}`);
  }
}

async function execHook(
  command: readonly string[],
  containerId: string,
  where: string,
  { runtime, signal }: { runtime: RuntimeService; signal: AbortSignal },
): Promise<void> {
  const title = `Exec lifecycle hook ([${command.join(' ')}]) ${where} failed`;
  let output: string;
  let exitCode: number;
  try {
    const result = await runtime.execSync(containerId, command, 0, { signal });
    output = Buffer.concat([result.stdout, result.stderr]).toString('utf8');
    exitCode = result.exitCode;
  } catch (error) {
    throw new Error(`${title} - error: ${messageOf(error)}, message: ""`, { cause: error });
  }
  if (exitCode === 0) return;
  const text = `command '${command.join(' ')}' exited with ${exitCode}: ${output}`;
  throw new Error(`${title} - error: ${text}, message: ${JSON.stringify(output)}`);
}
