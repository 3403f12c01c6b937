import net from 'node:net';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Probe } from '#schema/types.ts';
import { grpcCodes, hasGrpcCode } from '../cri/mod.ts';
import type { RuntimeService } from '../cri/mod.ts';
import type { AnyContainer } from '../pods/names.ts';
import { expandVariables } from '../containers/expand.ts';
import { checkGrpcHealth } from './grpc-health.ts';
import { actionUrl, httpGet, networkText, portNumber } from './http-get.ts';

export interface ProbeOutcome {
  /** Unknown: the probe itself could not be done. Warning counts as success. */
  readonly result: 'Success' | 'Failure' | 'Warning' | 'Unknown';
  readonly output: string;
}

export interface ProbeTarget {
  readonly container: AnyContainer;
  readonly containerId: string;
  readonly podIp: string;
}

const maxOutputBytes = 10 * 1024;
const userAgent = 'kube-probe/1.36';

/** Carries out one probe once, within its timeout. Never rejects. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  options: { runtime: RuntimeService; clock: Clock; signal: AbortSignal },
): Promise<ProbeOutcome> {
  try {
    return await attempt(probe, target, options);
  } catch (error) {
    return { result: 'Unknown', output: messageOf(error) };
  }
}

async function attempt(
  probe: Probe,
  target: ProbeTarget,
  options: { runtime: RuntimeService; clock: Clock; signal: AbortSignal },
): Promise<ProbeOutcome> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  if (probe.exec !== undefined) {
    const command = expandLiterals(probe.exec.command ?? [], target.container);
    return await execProbe(command, timeoutSeconds, target, options);
  }
  return await withTimeout(options, timeoutSeconds * 1000, async (signal) => {
    const { container, podIp } = target;
    if (probe.httpGet !== undefined) {
      const host = probe.httpGet.host ?? '';
      const url = actionUrl(probe.httpGet, host === '' ? podIp : host, container);
      return await httpProbe(probe.httpGet, url, signal);
    }
    if (probe.tcpSocket !== undefined) {
      const host = probe.tcpSocket.host ?? '';
      const port = portNumber(probe.tcpSocket.port, container);
      return await tcpProbe(host === '' ? podIp : host, port, signal);
    }
    if (probe.grpc !== undefined) {
      const { port, service = '' } = probe.grpc;
      const { clock } = options;
      return await checkGrpcHealth({ host: podIp, port, service, timeoutSeconds, clock, signal });
    }
    return { result: 'Unknown', output: `missing probe handler for ${container.name}` };
  });
}

/** Runs `work` with a signal that is aborted when the time is up or the caller gives up. */
export async function withTimeout<T>(
  options: { clock: Clock; signal: AbortSignal },
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = options.clock.after(timeoutMs, () => controller.abort());
  try {
    return await work(AbortSignal.any([options.signal, controller.signal]));
  } finally {
    timer.cancel();
  }
}

/** Only literal values are known to probes. */
function expandLiterals(command: readonly string[], container: AnyContainer): string[] {
  const literals = new Map((container.env ?? []).map(({ name, value }) => [name, value]));
  return command.map((part) => expandVariables(part, (name) => literals.get(name)));
}

async function execProbe(
  command: string[],
  timeoutSeconds: number,
  { containerId }: ProbeTarget,
  { runtime, signal }: { runtime: RuntimeService; signal: AbortSignal },
): Promise<ProbeOutcome> {
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync(
      containerId,
      command,
      timeoutSeconds,
      { signal },
    );
    const output = Buffer.concat([stdout, stderr]).subarray(0, maxOutputBytes).toString('utf8');
    return { result: exitCode === 0 ? 'Success' : 'Failure', output };
  } catch (error) {
    if (!hasGrpcCode(error, grpcCodes.deadlineExceeded)) throw error;
    const text = command.join(' ');
    return {
      result: 'Failure',
      output: `command timed out: "${text}" timed out after ${timeoutSeconds}s`,
    };
  }
}

async function httpProbe(
  action: NonNullable<Probe['httpGet']>,
  url: URL,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  try {
    const { statusCode, body, isForeignRedirect } = await httpGet({
      action,
      url,
      userAgent,
      signal,
    });
    if (isForeignRedirect) {
      return { result: 'Warning', output: `Probe terminated redirects, Response body: ${body}` };
    }
    if (statusCode >= 200 && statusCode < 400) return { result: 'Success', output: body };
    return { result: 'Failure', output: `HTTP probe failed with statuscode: ${statusCode}` };
  } catch (error) {
    return { result: 'Failure', output: messageOf(error) };
  }
}

function tcpProbe(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (outcome: ProbeOutcome): void => {
      signal.removeEventListener('abort', onTimeout);
      socket.destroy();
      resolve(outcome);
    };
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const onTimeout = (): void =>
      end({ result: 'Failure', output: `dial tcp ${address}: i/o timeout` });
    signal.addEventListener('abort', onTimeout, { once: true });
    socket.on('connect', () => end({ result: 'Success', output: '' }));
    socket.on('error', (error) =>
      end({ result: 'Failure', output: networkText(error, { hostname: host, port }) }),
    );
  });
}
