import { readFile } from 'node:fs/promises';
import type { ApiServer } from '#apiserver/mod.ts';
import { K3tsError, hasCode } from '#base/errors.ts';
import type { ApiOperation } from './api-operation.ts';
import type { ServerPaths } from './paths.ts';
import type { ServerSettings } from './settings.ts';

/** Port on loopback where the server's own kubeconfigs point to, as k3s' API server has it. */
export const loopbackPort = 6444;

/** Serves at the address that was asked for and at loopback; answers the authority's certificate. */
export async function listen(
  api: ApiServer,
  settings: ServerSettings,
  paths: ServerPaths,
  serving: ApiOperation['tls'],
): Promise<{ caPem: string }> {
  const [cert, key, caPem] = await Promise.all([
    readFile(paths.tlsFile('serving-kube-apiserver.crt'), 'utf8'),
    readFile(paths.tlsFile('serving-kube-apiserver.key'), 'utf8'),
    readFile(paths.tlsFile('server-ca.crt'), 'utf8'),
  ]);
  const tls = { ...serving, cert, key };
  const places = [{ host: settings.bindAddress, port: settings.httpsPort }];
  if (settings.httpsPort !== loopbackPort) places.push({ host: '127.0.0.1', port: loopbackPort });
  for (const { host, port } of places) {
    try {
      await api.listen({ host, port, tls });
    } catch (error) {
      throw explained(error, host, port);
    }
  }
  return { caPem };
}

function explained(error: unknown, host: string, port: number): unknown {
  if (hasCode(error, 'EADDRNOTAVAIL')) {
    const text = `--bind-address ${host} is no address of this machine`;
    return new K3tsError('Usage', text, { cause: error });
  }
  if (!hasCode(error, 'EADDRINUSE')) return error;
  return new K3tsError(
    'Usage',
    `port ${port} on ${host} is in use: is k3ts or k3s running already? ` +
      '(--https-listen-port sets another one)',
    { cause: error },
  );
}
