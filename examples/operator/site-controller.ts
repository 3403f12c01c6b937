import {
  AppsV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';
import type { KubeConfig, KubernetesListObject, V1Deployment } from '@kubernetes/client-node';

import { childrenOf } from './children.ts';
import { keepInformed } from './informers.ts';
import type { Website } from './website.ts';
import { finalizer, group, plural, version } from './website.ts';
import { WorkQueue } from './work-queue.ts';

export interface SiteControllerOptions {
  readonly config: KubeConfig;
  /** Where the index of all sites is kept. */
  readonly namespace: string;
  readonly signal: AbortSignal;
  log(line: string): void;
}

const manager = 'website-operator';
const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

/** Makes every Website true until the signal: its children, its status, its line in the index. */
export async function runSiteController(options: SiteControllerOptions): Promise<void> {
  const { config, signal, log } = options;
  const queue = new WorkQueue();
  const custom = config.makeApiClient(CustomObjectsApi);
  const apps = config.makeApiClient(AppsV1Api);
  const selector = 'app.kubernetes.io/name=website';
  const sites = makeInformer<Website>(
    config,
    `/apis/${group}/${version}/${plural}`,
    async () =>
      (await custom.listClusterCustomObject({
        group,
        version,
        plural,
      })) as KubernetesListObject<Website>,
  );
  const deployments = makeInformer<V1Deployment>(
    config,
    '/apis/apps/v1/deployments',
    () => apps.listDeploymentForAllNamespaces({ labelSelector: selector }),
    selector,
  );
  sites.on('change', ({ metadata }) => queue.add(`${metadata?.namespace}/${metadata?.name}`));
  deployments.on('change', ({ metadata }) => {
    const owner = metadata?.ownerReferences?.find(({ kind }) => kind === 'Website');
    if (owner !== undefined) queue.add(`${metadata?.namespace}/${owner.name}`);
  });
  const writer = new SiteWriter(options, custom);
  const work = async (key: string): Promise<void> => {
    const [namespace = '', name = ''] = key.split('/');
    const site = sites.get(name, namespace);
    if (site !== undefined) await writer.makeTrue(site, deployments.get(name, namespace));
  };
  const failed = (key: string, error: unknown): void => log(`${key}: ${String(error)}`);
  await Promise.all([
    keepInformed(sites, signal),
    keepInformed(deployments, signal),
    queue.run(work, failed, signal),
  ]);
}

class SiteWriter {
  readonly #options: SiteControllerOptions;
  readonly #custom: CustomObjectsApi;
  readonly #objects: KubernetesObjectApi;

  constructor(options: SiteControllerOptions, custom: CustomObjectsApi) {
    this.#options = options;
    this.#custom = custom;
    this.#objects = KubernetesObjectApi.makeApiClient(options.config);
  }

  async makeTrue(site: Website, deployment: V1Deployment | undefined): Promise<void> {
    const { name = '', namespace = '', finalizers = [], deletionTimestamp } = site.metadata ?? {};
    if (deletionTimestamp !== undefined) {
      if (!finalizers.includes(finalizer)) return;
      await this.#index(`${namespace}.${name}`, null);
      await this.#setFinalizers(
        site,
        finalizers.filter((other) => other !== finalizer),
      );
      return;
    }
    // held first: whatever is made from here on is cleaned up, too
    if (!finalizers.includes(finalizer))
      await this.#setFinalizers(site, [...finalizers, finalizer]);
    for (const child of childrenOf(site)) await this.#apply(child);
    await this.#index(`${namespace}.${name}`, `http://${name}.${namespace}.svc`);
    await this.#writeStatus(site, deployment);
  }

  async #apply(object: Parameters<KubernetesObjectApi['patch']>[0]): Promise<void> {
    const strategy = PatchStrategy.ServerSideApply;
    await this.#objects.patch(object, undefined, undefined, manager, true, strategy);
  }

  /** The index is shared by all sites, so each applies its own line under its own name. */
  async #index(key: string, url: string | null): Promise<void> {
    const metadata = { name: 'website-index', namespace: this.#options.namespace };
    const data = url === null ? {} : { [key]: url };
    const index = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    const strategy = PatchStrategy.ServerSideApply;
    await this.#objects.patch(index, undefined, undefined, `${manager}-${key}`, true, strategy);
  }

  /** The resourceVersion makes it fail when someone else changed the list meanwhile. */
  async #setFinalizers(site: Website, finalizers: string[]): Promise<void> {
    const resourceVersion = site.metadata?.resourceVersion;
    const body = { metadata: { resourceVersion, finalizers } };
    await this.#custom.patchNamespacedCustomObject({ ...nameOf(site), body }, merge);
  }

  async #writeStatus(site: Website, deployment: V1Deployment | undefined): Promise<void> {
    const observedGeneration = site.metadata?.generation ?? 0;
    const readyReplicas = deployment?.status?.readyReplicas ?? 0;
    const wanted = site.spec.replicas ?? 1;
    const isReady = readyReplicas >= wanted;
    const status = isReady ? ('True' as const) : ('False' as const);
    const before = site.status?.conditions?.find(({ type }) => type === 'Ready');
    const hasChanged = before?.status !== status;
    const isKnown =
      site.status?.observedGeneration === observedGeneration &&
      site.status.readyReplicas === readyReplicas;
    if (!hasChanged && isKnown) return;
    const ready = {
      type: 'Ready',
      status,
      reason: isReady ? 'Serving' : 'Waiting',
      message: `${readyReplicas} of ${wanted} replicas are ready`,
      lastTransitionTime: hasChanged ? new Date().toISOString() : before.lastTransitionTime,
      observedGeneration,
    };
    const body = { status: { observedGeneration, readyReplicas, conditions: [ready] } };
    await this.#custom.patchNamespacedCustomObjectStatus({ ...nameOf(site), body }, merge);
  }
}

function nameOf({ metadata }: Website): {
  group: string;
  version: string;
  plural: string;
  namespace: string;
  name: string;
} {
  return {
    group,
    version,
    plural,
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
  };
}
