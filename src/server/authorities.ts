import { join } from 'node:path';

import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import { createAuthority, createEcKey, createRsaKey } from '#pki/mod.ts';
import type { Authority } from '#pki/mod.ts';
import type { ServerPaths } from './paths.ts';

/** The authorities of a cluster; all servers of it hold the same files. */
export interface Authorities {
  readonly client: Authority;
  readonly server: Authority;
  readonly requestHeader: Authority;
  readonly etcdServer: Authority;
  readonly etcdPeer: Authority;
}

const files: Record<keyof Authorities, { file: string; name: string }> = {
  client: { file: 'client-ca', name: 'k3s-client-ca' },
  server: { file: 'server-ca', name: 'k3s-server-ca' },
  requestHeader: { file: 'request-header-ca', name: 'k3s-request-header-ca' },
  etcdServer: { file: 'etcd/server-ca', name: 'etcd-server-ca' },
  etcdPeer: { file: 'etcd/peer-ca', name: 'etcd-peer-ca' },
};

/** Reads the authorities from server/tls, making those that are missing. */
export async function ensureAuthorities(options: {
  paths: ServerPaths;
  clock: Clock;
  random: Random;
}): Promise<Authorities> {
  const { paths, clock, random } = options;
  const ensure = async (which: keyof Authorities): Promise<Authority> => {
    const { file, name } = files[which];
    const certificatePath = join(paths.tls, `${file}.crt`);
    const keyPath = join(paths.tls, `${file}.key`);
    const certificatePem = await readFileIfExists(certificatePath);
    const keyPem = await readFileIfExists(keyPath);
    if (certificatePem !== undefined && keyPem !== undefined) return { certificatePem, keyPem };
    const authority = await createAuthority({
      commonName: `${name}@${Math.floor(clock.now() / 1000)}`,
      keyPem: keyPem ?? (await createEcKey()),
      nowMs: clock.now(),
      serial: random.bytes(16),
    });
    await writeFileAtomic(keyPath, authority.keyPem);
    await writeFileAtomic(certificatePath, authority.certificatePem);
    return authority;
  };
  const [client, server, requestHeader, etcdServer, etcdPeer] = await Promise.all([
    ensure('client'),
    ensure('server'),
    ensure('requestHeader'),
    ensure('etcdServer'),
    ensure('etcdPeer'),
  ]);
  const authorities: Authorities = { client, server, requestHeader, etcdServer, etcdPeer };
  await writeFirstCertificate(paths.tlsFile('client-ca.nochain.crt'), authorities.client);
  await writeFirstCertificate(paths.tlsFile('server-ca.nochain.crt'), authorities.server);
  return authorities;
}

async function writeFirstCertificate(path: string, authority: Authority): Promise<void> {
  const end = '-----END CERTIFICATE-----';
  const first = authority.certificatePem.indexOf(end) + end.length;
  const content = `${authority.certificatePem.slice(0, first)}\n`;
  if ((await readFileIfExists(path)) !== content) await writeFileAtomic(path, content);
}

/** PEM of the service-account keys; the first signs. Makes service.key when it is missing. */
export async function ensureServiceKey(paths: ServerPaths): Promise<string> {
  const existing = await readFileIfExists(paths.serviceKey);
  const keys = existing ?? (await createRsaKey());
  if (existing === undefined) await writeFileAtomic(paths.serviceKey, keys);
  const first = /-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?/.exec(keys)?.[0] ?? keys;
  if ((await readFileIfExists(paths.serviceCurrentKey)) !== first) {
    await writeFileAtomic(paths.serviceCurrentKey, first);
  }
  return keys;
}
