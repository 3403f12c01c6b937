import { dirname, join } from 'node:path';

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { readFileIfExists, writeFileAtomic } from '#host/atomic-file.ts';
import { createEcKey, issueCertificate, renewalReason } from '#pki/mod.ts';
import type { KeyUsagePurpose } from '#pki/mod.ts';
import type { Authorities } from './authorities.ts';
import type { ServerPaths } from './paths.ts';

/** One certificate that the server issues for itself, under k3s' file name and subject. */
interface LeafCertificate {
  readonly file: string;
  readonly authority: keyof Authorities;
  readonly commonName: string;
  readonly organization?: string;
  readonly purposes: readonly KeyUsagePurpose[];
  /** Which names it carries. */
  readonly names?: 'server' | 'etcd';
}

const client = (file: string, commonName: string, organization?: string): LeafCertificate => ({
  file,
  authority: 'client',
  commonName,
  purposes: ['client'],
  ...(organization === undefined ? {} : { organization }),
});

const masters = 'system:masters';

const leafCertificates: readonly LeafCertificate[] = [
  client('client-admin', 'system:admin', masters),
  client('client-supervisor', 'system:k3s-supervisor', masters),
  client('client-kube-apiserver', 'system:apiserver', masters),
  client('client-controller', 'system:kube-controller-manager'),
  client('client-scheduler', 'system:kube-scheduler'),
  client('client-kube-proxy', 'system:kube-proxy'),
  client('client-k3s-controller', 'system:k3s-controller'),
  client('client-k3s-cloud-controller', 'k3s-cloud-controller-manager'),
  {
    file: 'serving-kube-apiserver',
    authority: 'server',
    commonName: 'kube-apiserver',
    purposes: ['server'],
    names: 'server',
  },
  {
    file: 'client-auth-proxy',
    authority: 'requestHeader',
    commonName: 'system:auth-proxy',
    purposes: ['client'],
  },
  {
    file: 'etcd/client',
    authority: 'etcdServer',
    commonName: 'etcd-client',
    purposes: ['client'],
  },
  {
    file: 'etcd/server-client',
    authority: 'etcdServer',
    commonName: 'etcd-server',
    purposes: ['server', 'client'],
    names: 'etcd',
  },
  {
    file: 'etcd/peer-server-client',
    authority: 'etcdPeer',
    commonName: 'etcd-peer',
    purposes: ['server', 'client'],
    names: 'etcd',
  },
];

/** Keys that an agent gets when it sends no signing request of its own. */
const sharedKeys = ['client-kubelet', 'serving-kubelet'];

export interface ServingNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/**
 * Brings server/tls up to date: issues what is missing, ends within 120 days, or no longer fits
 * its authority or names. A renewed certificate keeps its key.
 */
export async function ensureLeafCertificates(options: {
  paths: ServerPaths;
  authorities: Authorities;
  names: ServingNames;
  clock: Clock;
  random: Random;
  log: Logger;
}): Promise<void> {
  // Side by side: each file waits for the disk.
  await Promise.all([
    ...leafCertificates.map((leaf) => ensureLeaf(leaf, options)),
    ...sharedKeys.map(async (name) => {
      const path = options.paths.tlsFile(`${name}.key`);
      if ((await readFileIfExists(path)) === undefined) {
        await writeFileAtomic(path, await createEcKey());
      }
    }),
  ]);
}

async function ensureLeaf(
  leaf: LeafCertificate,
  options: Parameters<typeof ensureLeafCertificates>[0],
): Promise<void> {
  const { paths, authorities, names, clock, random, log } = options;
  const authority = authorities[leaf.authority];
  const certificatePath = join(paths.tls, `${leaf.file}.crt`);
  const keyPath = join(dirname(certificatePath), `${leaf.file.split('/').at(-1) ?? ''}.key`);
  const wanted = {
    authorityPem: authority.certificatePem,
    commonName: leaf.commonName,
    organizations: leaf.organization === undefined ? [] : [leaf.organization],
    dnsNames: leaf.names === undefined ? [] : [...names.dnsNames, ...etcdNames(leaf)],
    ipAddresses: leaf.names === undefined ? [] : names.ipAddresses,
    nowMs: clock.now(),
  };
  const existingKey = await readFileIfExists(keyPath);
  const existing = await readFileIfExists(certificatePath);
  if (existing !== undefined && existingKey !== undefined) {
    const reason = renewalReason(existing, wanted);
    if (reason === undefined) return;
    log.info('Renewing certificate', { file: certificatePath, reason });
  }
  const key = existingKey ?? (await createEcKey());
  if (existingKey === undefined) await writeFileAtomic(keyPath, key);
  const pem = await issueCertificate({
    authority,
    commonName: leaf.commonName,
    organizations: wanted.organizations,
    dnsNames: wanted.dnsNames,
    ipAddresses: wanted.ipAddresses,
    purposes: leaf.purposes,
    key,
    nowMs: clock.now(),
    serial: random.bytes(16),
  });
  await writeFileAtomic(certificatePath, pem);
}

function etcdNames(leaf: LeafCertificate): string[] {
  return leaf.names === 'etcd' ? ['kine.sock'] : [];
}
