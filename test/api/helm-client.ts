import { gunzipSync, gzipSync } from 'node:zlib';

import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { threeWayJsonPatch, threeWayPatch } from './three-way-merge.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** What helm keeps of a release, gzipped in a Secret of type helm.sh/release.v1. */
export interface Release {
  readonly name: string;
  readonly version: number;
  readonly status: string;
  readonly manifests: readonly Manifest[];
}

/** Installs, upgrades and takes back releases with the requests helm 3 sends. */
export interface HelmClient {
  install(manifests: readonly Manifest[]): Promise<void>;
  /** Throws with the server's message and marks the release failed when something is refused. */
  upgrade(manifests: readonly Manifest[]): Promise<void>;
  rollback(version: number): Promise<void>;
  uninstall(): Promise<void>;
  history(): Promise<Release[]>;
}

const resourceOf: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  Service: 'services',
  Deployment: 'deployments',
  Gadget: 'gadgets',
};

export function helmClient(api: TestApi, name: string, namespace: string): HelmClient {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  const pathOf = ({ apiVersion, kind }: Manifest): string =>
    `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${resourceOf[kind]}`;
  const keyOf = (one: Manifest): string => `${pathOf(one)}/${one.metadata.name}`;
  const ask = async (method: string, path: string, body?: object, type = ''): Promise<Answer> => {
    const headers = type === '' ? {} : { 'Content-Type': type };
    const answer = await api.request(method, path, { ...(body && { body }), headers });
    if (answer.status >= 400 && answer.status !== 404)
      throw new Error(String(answer.at('message')));
    return answer;
  };
  const owned = (one: Manifest): Manifest => ({
    ...one,
    metadata: {
      ...one.metadata,
      labels: { ...(one.metadata['labels'] as object), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...(one.metadata['annotations'] as object),
        'meta.helm.sh/release-name': name,
        'meta.helm.sh/release-namespace': namespace,
      },
    },
  });

  const secretOf = (release: Release): object => ({
    metadata: {
      name: `sh.helm.release.v1.${name}.v${release.version}`,
      labels: { name, owner: 'helm', status: release.status, version: String(release.version) },
    },
    type: 'helm.sh/release.v1',
    data: {
      // encoded by helm, and once more as every value of a Secret
      release: Buffer.from(gzipSync(JSON.stringify(release)).toString('base64')).toString('base64'),
    },
  });
  const write = async (release: Release, isNew = false): Promise<void> => {
    const secret = secretOf(release) as { metadata: { name: string } };
    if (isNew) await ask('POST', secrets, secret);
    else await ask('PUT', `${secrets}/${secret.metadata.name}`, secret);
  };
  const history = async (): Promise<Release[]> => {
    const selector = encodeURIComponent(`name=${name},owner=helm`);
    const list = await ask('GET', `${secrets}?labelSelector=${selector}`);
    const { items } = list.json as { items: { data: { release: string } }[] };
    return items
      .map(({ data }) => Buffer.from(Buffer.from(data.release, 'base64').toString(), 'base64'))
      .map((zipped) => JSON.parse(gunzipSync(zipped).toString()) as Release)
      .toSorted((one, other) => one.version - other.version);
  };

  const update = async (original: Manifest | undefined, target: Manifest): Promise<void> => {
    const live = await ask('GET', keyOf(target));
    if (live.status === 404) {
      await ask('POST', `${pathOf(target)}?fieldManager=helm`, target);
      return;
    }
    const isCustom = target.kind === 'Gadget';
    const make = isCustom ? threeWayJsonPatch : threeWayPatch;
    const patch = make(original ?? {}, target, live.json as Record<string, unknown>);
    if (Object.keys(patch).length === 0) return;
    const type = `application/${isCustom ? 'merge' : 'strategic-merge'}-patch+json`;
    await ask('PATCH', `${keyOf(target)}?fieldManager=helm`, patch, type);
  };

  const change = async (manifests: readonly Manifest[], what: string): Promise<void> => {
    const releases = await history();
    const deployed = releases.findLast(({ status }) => status === 'deployed');
    const version = (releases.at(-1)?.version ?? 0) + 1;
    const release = { name, version, status: `pending-${what}`, manifests: manifests.map(owned) };
    await write(release, true);
    const before = deployed?.manifests ?? [];
    try {
      for (const target of release.manifests) {
        await update(
          before.find((one) => keyOf(one) === keyOf(target)),
          target,
        );
      }
      for (const gone of before) {
        if (release.manifests.some((one) => keyOf(one) === keyOf(gone))) continue;
        await ask('DELETE', keyOf(gone), { propagationPolicy: 'Background' });
      }
    } catch (error) {
      await write({ ...release, status: 'failed' });
      throw error;
    }
    if (deployed !== undefined) await write({ ...deployed, status: 'superseded' });
    await write({ ...release, status: 'deployed' });
  };
  return {
    history,
    install: (manifests) => change(manifests, 'install'),
    upgrade: (manifests) => change(manifests, 'upgrade'),
    async rollback(version) {
      const target = (await history()).find((release) => release.version === version);
      await change(target?.manifests ?? [], 'rollback');
    },
    async uninstall() {
      const releases = await history();
      for (const gone of releases.findLast(({ status }) => status === 'deployed')?.manifests ?? [])
        await ask('DELETE', keyOf(gone), { propagationPolicy: 'Background' });
      for (const { version } of releases)
        await ask('DELETE', `${secrets}/sh.helm.release.v1.${name}.v${version}`);
    },
  };
}
