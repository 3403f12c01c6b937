import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { HTTPGetAction, LifecycleHandler, Pod } from '#schema/types.ts';
import type { RuntimeService } from '../cri/mod.ts';
import { actionUrl, httpGet, isPlainAnswer } from '../probes/http-get.ts';
import { podText } from './names.ts';
import type { AnyContainer } from './names.ts';
import type { PodEvents } from './pod-events.ts';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly containerId: string;
  readonly podIp: string;
}

export interface HookOptions {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  readonly events: PodEvents;
  readonly signal: AbortSignal;
}

/**
 * Runs postStart and preStop handlers; rejects with upstream's text when one fails. A handler with
 * tcpSocket always does, as upstream: the field is there for old manifests only.
 */
export async function runLifecycleHook(
  handler: LifecycleHandler,
  target: HookTarget,
  options: HookOptions,
): Promise<void> {
  const { pod, container, containerId } = target;
  const { runtime, clock, signal } = options;
  const where = `for Container "${container.name}" in Pod "${podText(pod)}"`;
  if (handler.exec !== undefined) {
    const command = handler.exec.command ?? [];
    await execHook(command, containerId, where, { runtime, signal });
  } else if (handler.httpGet !== undefined) {
    try {
      await httpHook(handler.httpGet, target, options);
    } catch (error) {
      const path = handler.httpGet.path ?? '';
      throw new Error(
        `HTTP lifecycle hook (${path}) ${where} failed - error: ${messageOf(error)}`,
        { cause: error },
      );
    }
  } else if (handler.sleep !== undefined) {
    await clock.sleep(handler.sleep.seconds * 1000, signal);
  } else {
    throw new Error(`Cannot run handler: invalid handler: ${JSON.stringify(handler)}`);
  }
}

/** Any answer is a success. Before 1.27 hooks ignored the scheme: some that say HTTPS speak HTTP. */
async function httpHook(
  action: HTTPGetAction,
  { pod, container, podIp }: HookTarget,
  { events, signal }: HookOptions,
): Promise<void> {
  const { host = '' } = action;
  const url = actionUrl(action, host === '' ? podIp : host, container);
  const userAgent = 'kube-lifecycle/1.36';
  try {
    await httpGet({ action, url, userAgent, signal });
  } catch (error) {
    if (url.protocol !== 'https:' || !isPlainAnswer(error)) throw error;
    const httpHeaders = (action.httpHeaders ?? []).filter(
      ({ name }) => name.toLowerCase() !== 'authorization',
    );
    const plain = new URL(`http:${url.href.slice('https:'.length)}`);
    // The port stays that of the first try, also where it is the one of HTTPS.
    if (plain.port === '') plain.port = '443';
    await httpGet({ action: { ...action, httpHeaders }, url: plain, userAgent, signal });
    const message = `request to HTTPS lifecycle hook ${plain.host} got HTTP response, retry with HTTP succeeded`;
    events.pod(pod, 'Warning', 'LifecycleHTTPFallback', message);
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
