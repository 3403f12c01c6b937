import { chmod, chown, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { renderKubeconfig } from '#client/mod.ts';
import { readFileIfExists, replaceLink, writeFileAtomic } from '#host/atomic-file.ts';
import { makeDirectories } from '#host/data-directory.ts';
import type { ServerPaths } from './paths.ts';
import type { ServerSettings } from './settings.ts';

const defaultKubeconfig = '/etc/rancher/k3s/k3s.yaml';

/** The admin's kubeconfig with everything inside; cluster, user and context are all `default`. */
function renderAdminKubeconfig(options: {
  server: string;
  caPem: string;
  certificatePem: string;
  keyPem: string;
}): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(options.caPem)}
    server: ${options.server}
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: ${base64(options.certificatePem)}
    client-key-data: ${base64(options.keyPem)}
`;
}

const componentCertificates: Record<string, string> = {
  admin: 'client-admin',
  supervisor: 'client-supervisor',
  controller: 'client-controller',
  scheduler: 'client-scheduler',
  'api-server': 'client-kube-apiserver',
  'cloud-controller': 'client-k3s-cloud-controller',
};

/** Writes cred/*.kubeconfig for the control plane's own components. */
async function writeComponentKubeconfigs(paths: ServerPaths, server: string): Promise<void> {
  for (const [component, certificate] of Object.entries(componentCertificates)) {
    const path = `${paths.credentials}/${component}.kubeconfig`;
    const content = renderKubeconfig({
      server,
      caFile: paths.tlsFile('server-ca.crt'),
      certificateFile: paths.tlsFile(`${certificate}.crt`),
      keyFile: paths.tlsFile(`${certificate}.key`),
    });
    if ((await readFileIfExists(path)) !== content) await writeFileAtomic(path, content);
  }
}

/**
 * Writes the admin's kubeconfig for people. With another path than k3s' own, that one becomes a
 * link, in place of what is there, so that tools which look there find it. A link that cannot be
 * made is logged only, as k3s does.
 */
export async function writeAdminKubeconfig(options: {
  kubeconfig: ServerSettings['kubeconfig'];
  content: string;
  log: Logger;
}): Promise<void> {
  const { content, log } = options;
  const { path, mode, group, link = defaultKubeconfig } = options.kubeconfig;
  await makeDirectories(dirname(path), 0o755);
  if ((await readFileIfExists(path)) === content) await chmod(path, mode);
  else await writeFileAtomic(path, content, mode);
  if (group !== undefined) await chown(path, -1, await groupId(group));
  const target = resolve(path);
  if (target === link) return;
  try {
    await replaceLink(link, target);
  } catch (error) {
    log.error('Failed to write kubeconfig symlink', { file: link, error: messageOf(error) });
  }
}

async function groupId(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const line = (await readFile('/etc/group', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${group}:`));
  if (line === undefined) {
    throw new K3tsError('Usage', `--write-kubeconfig-group: there is no group "${group}"`);
  }
  return Number(line.split(':')[2]);
}

/** The admin's kubeconfig and those of the components, for a server that listens. */
export async function writeKubeconfigs(options: {
  settings: ServerSettings;
  paths: ServerPaths;
  caPem: string;
  /** Where components find the server. */
  loopbackPort: number;
  log: Logger;
}): Promise<void> {
  const { settings, paths, caPem, loopbackPort, log } = options;
  await writeComponentKubeconfigs(paths, `https://127.0.0.1:${loopbackPort}`);
  const isAnyAddress = settings.bindAddress === '0.0.0.0' || settings.bindAddress === '::';
  const host = isAnyAddress ? '127.0.0.1' : settings.bindAddress;
  await writeAdminKubeconfig({
    kubeconfig: settings.kubeconfig,
    log,
    content: renderAdminKubeconfig({
      server: `https://${host.includes(':') ? `[${host}]` : host}:${settings.httpsPort}`,
      caPem,
      certificatePem: await readFile(paths.tlsFile('client-admin.crt'), 'utf8'),
      keyPem: await readFile(paths.tlsFile('client-admin.key'), 'utf8'),
    }),
  });
}
