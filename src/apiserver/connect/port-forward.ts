import { messageOf } from '#base/errors.ts';
import {
  acceptWebSocket,
  findTunnelProtocol,
  isWebSocket,
  listOf,
  offeredProtocols,
  openUpgrade,
  readAnswerBody,
  tunnelSpdy,
} from '#streaming/mod.ts';
import { badRequest, plainError } from '../api-errors.ts';
import { backendUpgradeHeaders } from './backend-headers.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { KubeletAddress } from './kubelet-transport.ts';
import { dialBackend, passToKubelet } from './kubelet-upgrade.ts';
import type { UpgradeInput } from './kubelet-upgrade.ts';
import { findPod, locatePodKubelet } from './node-location.ts';
import { pathOf, withQuery } from './query-values.ts';
import { serverResponse } from './response-status.ts';

const maxRefusalBytes = 2048;
/** Headers of the client's WebSocket handshake, which have no place in one for SPDY. */
const webSocketHeaders = [
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'sec-websocket-accept',
  'connection',
  'upgrade',
  'content-length',
];

/**
 * portforward. kubectl carries SPDY in a WebSocket, whose bytes are unwrapped here; SPDY itself and
 * the old WebSocket channels go to the kubelet as they are.
 */
export async function connectPortForward(
  options: ConnectOptions,
  input: UpgradeInput,
): Promise<void> {
  const { context, request } = input;
  const { info } = context;
  const ports = context.query.getAll('ports').flatMap((text) => text.split(','));
  await input.admit({
    kind: 'PodPortForwardOptions',
    apiVersion: 'v1',
    ...(ports.length === 0 ? {} : { ports: ports.map(Number) }),
  });
  const pod = findPod(options.reader, info.namespace, info.name);
  const kubelet = locatePodKubelet(options.reader, pod);
  const query = new URLSearchParams(ports.length === 0 ? [] : [['port', ports.join(',')]]);
  const path = withQuery(pathOf('portForward', info.namespace, info.name), query);
  const tunnel = isWebSocket(request.headers)
    ? findTunnelProtocol(offeredProtocols(request))
    : undefined;
  if (tunnel === undefined) await passToKubelet(options, input, { kubelet, path });
  else await unwrap(options, input, { kubelet, path, ...tunnel });
}

async function unwrap(
  options: ConnectOptions,
  input: UpgradeInput,
  target: { kubelet: KubeletAddress; path: string; subprotocol: string; inner: string },
): Promise<void> {
  const { request, socket, head, context } = input;
  const { kubelet, path, subprotocol, inner } = target;
  const { signal } = context;
  const connection = await dialBackend(() => options.transport.connectKubelet(kubelet, { signal }));
  const answer = await openUpgrade({
    method: 'POST',
    path,
    headers: [
      ...backendUpgradeHeaders(request, webSocketHeaders),
      'Connection',
      'Upgrade',
      'Upgrade',
      'SPDY/3.1',
      'X-Stream-Protocol-Version',
      inner,
      'Content-Length',
      '0',
    ],
    connection,
    signal,
  }).catch((error: unknown) => {
    throw plainError(messageOf(error));
  });
  const { response } = answer;
  if (!answer.isSwitched) {
    const body = await readAnswerBody(response, maxRefusalBytes);
    connection.destroy();
    throw serverResponse(response.statusCode ?? 0, body.toString(), {
      resource: 'pods/portforward',
      name: context.info.name,
    });
  }
  const [picked = ''] = listOf(response.headers['x-stream-protocol-version']);
  if (picked !== inner) {
    answer.socket.destroy();
    throw badRequest(`unable to upgrade: the node does not speak ${inner}`);
  }
  const webSocket = await acceptWebSocket({ request, socket, head, protocol: subprotocol });
  await tunnelSpdy({ webSocket, socket: answer.socket, head: answer.head });
}
