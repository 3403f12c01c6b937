import { readFile } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { serviceAccountKeys } from './access/own-keys.ts';
import { readApiServerArgs } from './api-server-args/mod.ts';
import { ensureAuthorities, ensureServiceKey } from './authorities.ts';
import type { Authorities } from './authorities.ts';
import { ensureJoinCredentials } from './join-credentials.ts';
import type { JoinCredentials } from './join-credentials.ts';
import { ensureLeafCertificates } from './leaf-certificates.ts';
import type { ServerPaths } from './paths.ts';
import { servingNames } from './serving-names.ts';
import type { ServerSettings } from './settings.ts';

/** Identity and secrets of this server, from its files. */
export interface ServerIdentity {
  readonly paths: ServerPaths;
  readonly authorities: Authorities;
  readonly credentials: JoinCredentials;
  readonly serviceKey: string;
  /** PEM texts of client-kube-apiserver. */
  readonly kubeletClient: { readonly certificate: string; readonly key: string };
  /** PEM texts of client-auth-proxy. */
  readonly proxyClient: { readonly cert: string; readonly key: string };
}

/** Makes what is missing of it, and reads it. */
export async function prepareIdentity(options: {
  settings: ServerSettings;
  paths: ServerPaths;
  clock: Clock;
  random: Random;
  log: Logger;
}): Promise<ServerIdentity> {
  const { settings, paths, clock, random, log } = options;
  const [authorities, ownKey] = await Promise.all([
    ensureAuthorities({ paths, clock, random }),
    ensureServiceKey(paths),
  ]);
  const names = servingNames(settings);
  await ensureLeafCertificates({ paths, authorities, names, clock, random, log });
  const credentials = await ensureJoinCredentials({
    paths,
    serverCaPem: authorities.server.certificatePem,
    token: settings.token,
    agentToken: settings.agentToken,
    random,
  });
  const kubeletClient = {
    certificate: await readFile(paths.tlsFile('client-kube-apiserver.crt'), 'utf8'),
    key: await readFile(paths.tlsFile('client-kube-apiserver.key'), 'utf8'),
  };
  const proxyClient = {
    cert: await readFile(paths.tlsFile('client-auth-proxy.crt'), 'utf8'),
    key: await readFile(paths.tlsFile('client-auth-proxy.key'), 'utf8'),
  };
  const serviceKey = serviceAccountKeys(settings.apiServerArgs ?? readApiServerArgs(), ownKey);
  return { paths, authorities, credentials, serviceKey, kubeletClient, proxyClient };
}
