import {
  acceptWebSocket,
  channelProtocolV5,
  isWebSocket,
  offeredProtocols,
  openSpdy,
  remoteCommandProtocols,
  translateRemoteCommand,
} from '#streaming/mod.ts';
import type { RemoteCommandStreams } from '#streaming/mod.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { KubeletAddress } from './kubelet-transport.ts';
import { passToKubelet } from './kubelet-upgrade.ts';
import type { UpgradeInput } from './kubelet-upgrade.ts';
import { chooseContainer, findPod, locatePodKubelet } from './node-location.ts';
import { pathOf, readFlag, withQuery } from './query-values.ts';

const optionKinds = { exec: 'PodExecOptions', attach: 'PodAttachOptions' } as const;

/**
 * exec and attach. Clients of v5.channel.k8s.io end here and are translated to SPDY; everything
 * else (SPDY, older WebSocket protocols) goes to the kubelet as it is, as in kube-apiserver.
 */
export async function connectRemoteCommand(
  options: ConnectOptions,
  input: UpgradeInput,
): Promise<void> {
  const { info, query } = input.context;
  const command = info.subresource as keyof typeof optionKinds;
  const streams: RemoteCommandStreams = {
    stdin: readFlag(query, 'stdin'),
    stdout: readFlag(query, 'stdout'),
    stderr: readFlag(query, 'stderr'),
    tty: readFlag(query, 'tty'),
  };
  const commandLine = command === 'exec' ? query.getAll('command') : [];
  const asked = query.get('container') ?? '';
  await input.admit({
    kind: optionKinds[command],
    apiVersion: 'v1',
    ...streams,
    ...(asked === '' ? {} : { container: asked }),
    ...(command === 'exec' ? { command: commandLine } : {}),
  });
  const pod = findPod(options.reader, info.namespace, info.name);
  const container = chooseContainer(pod, asked);
  const kubelet = locatePodKubelet(options.reader, pod);
  const path = withQuery(
    pathOf(command, info.namespace, info.name, container),
    kubeletQuery(streams, commandLine),
  );
  const { request } = input;
  if (isWebSocket(request.headers) && offeredProtocols(request).includes(channelProtocolV5)) {
    await translate(options, input, { kubelet, path, streams });
    return;
  }
  await passToKubelet(options, input, { kubelet, path });
}

function kubeletQuery(
  streams: RemoteCommandStreams,
  commandLine: readonly string[],
): URLSearchParams {
  const query = new URLSearchParams();
  if (streams.stdin) query.set('input', '1');
  if (streams.stdout) query.set('output', '1');
  if (streams.stderr) query.set('error', '1');
  if (streams.tty) query.set('tty', '1');
  for (const word of commandLine) query.append('command', word);
  return query;
}

async function translate(
  options: ConnectOptions,
  input: UpgradeInput,
  target: { kubelet: KubeletAddress; path: string; streams: RemoteCommandStreams },
): Promise<void> {
  const { request, socket, head } = input;
  const { kubelet, path, streams } = target;
  const protocol = channelProtocolV5;
  const webSocket = await acceptWebSocket({ request, socket, head, protocol });
  await translateRemoteCommand({
    webSocket,
    streams,
    clock: options.clock,
    open: async (signal) =>
      await openSpdy({
        connection: await options.transport.connectKubelet(kubelet, { signal }),
        host: `${kubelet.host}:${kubelet.port}`,
        path,
        protocols: remoteCommandProtocols,
        signal,
      }),
  });
}
