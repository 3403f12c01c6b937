import type { Duplex } from 'node:stream';
import { ApiStatusError } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { proxyUpgrade } from '#streaming/mod.ts';
import { plainError } from '../api-errors.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import { backendUpgradeHeaders } from './backend-headers.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { KubeletAddress } from './kubelet-transport.ts';

export type UpgradeInput = Parameters<ConnectHandler['upgrade']>[0];

/** Dials, and says in upstream's words when that is in vain. */
export async function dialBackend(connect: () => Promise<Duplex>): Promise<Duplex> {
  try {
    return await connect();
  } catch (error) {
    throw plainError(`error dialing backend: ${messageOf(error)}`);
  }
}

/** Hands a protocol switch to a kubelet, byte for byte; resolves when it is over. */
export async function passToKubelet(
  options: ConnectOptions,
  input: UpgradeInput,
  target: { kubelet: KubeletAddress; path: string },
): Promise<void> {
  const { request, socket, head, context } = input;
  const { kubelet, path } = target;
  const { signal } = context;
  const connection = await dialBackend(() => options.transport.connectKubelet(kubelet, { signal }));
  const method = request.method ?? 'GET';
  const headers = backendUpgradeHeaders(request);
  try {
    await proxyUpgrade({ request, socket, head, connection, method, path, headers, signal });
  } catch (error) {
    if (error instanceof ApiStatusError) throw error;
    throw plainError(messageOf(error));
  }
}
