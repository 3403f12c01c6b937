import type { Action, ChurnContext } from './churn-context.ts';
import { wantedCount, type WantedDeployment } from './desired.ts';
import {
  deploymentManifest,
  namespace,
  serviceManifest,
  settingsManifest,
  settingsName,
  statefulSetManifest,
} from './manifests.ts';
import { withMerge } from './pod-actions.ts';

const deploymentCount = 5;
const ownedCount = 3;
const mostServices = 10;

export interface WorkloadActions {
  /** Makes what is there all the time. */
  prepare(podCount: number): Promise<void>;
  updateSettings: Action;
  roll: Action;
  scale: Action;
  createService: Action;
  deleteService: Action;
}

export function workloadActions(context: ChurnContext): WorkloadActions {
  const { api, desired, random, podCount, idle, hold, next } = context;
  const { core, apps, persist } = api;

  const changeDeployment = async (
    change: (wanted: WantedDeployment) => object,
  ): Promise<boolean> => {
    const name = idle(desired.deployments.keys());
    const wanted = desired.deployments.get(name ?? '');
    if (name === undefined || wanted === undefined) return false;
    const body = { spec: change(wanted) };
    return await hold(name, async () => {
      const patch = () => apps.patchNamespacedDeployment({ name, namespace, body }, withMerge);
      await persist(`patch deployment ${name}`, patch);
    });
  };
  return {
    async prepare(count) {
      const body = settingsManifest('hello');
      const settings = () => core.createNamespacedConfigMap({ namespace, body });
      await persist('create settings', settings, [409]);
      const owned = { namespace, body: statefulSetManifest('own', ownedCount) };
      await persist('create own', () => apps.createNamespacedStatefulSet(owned), [409]);
      desired.statefulSets.set('own', ownedCount);
      for (let number = 0; number < deploymentCount; number += 1) {
        const name = `web-${number}`;
        const replicas = Math.max(1, Math.floor(count / 18));
        const deployment = { body: deploymentManifest(name, replicas), namespace };
        await persist(`create ${name}`, () => apps.createNamespacedDeployment(deployment), [409]);
        const service = { body: serviceManifest(name, name), namespace };
        await persist(`expose ${name}`, () => core.createNamespacedService(service), [409]);
        desired.deployments.set(name, { replicas, version: 0 });
      }
    },
    async updateSettings() {
      const body = settingsManifest(`hello ${next()}`);
      const name = settingsName;
      const replace = () => core.replaceNamespacedConfigMap({ name, namespace, body });
      await persist('update settings', replace);
      return true;
    },
    roll: () =>
      changeDeployment((wanted) => {
        wanted.version += 1;
        return { template: { metadata: { annotations: { version: `${wanted.version}` } } } };
      }),
    scale: () =>
      changeDeployment((wanted) => {
        const isGrowing = wantedCount(desired) < podCount && random.float() < 0.5;
        wanted.replicas = Math.max(1, wanted.replicas + (isGrowing ? 1 : -1));
        return { replicas: wanted.replicas };
      }),
    async createService() {
      if (desired.services.size >= mostServices) return false;
      const name = `extra-${next()}`;
      desired.services.add(name);
      const body = serviceManifest(name, `web-${random.integer(deploymentCount)}`);
      const create = () => core.createNamespacedService({ namespace, body });
      return await hold(name, () => persist(`create service ${name}`, create, [409]));
    },
    async deleteService() {
      const name = idle(desired.services);
      if (name === undefined) return false;
      desired.services.delete(name);
      const remove = () => core.deleteNamespacedService({ name, namespace });
      return await hold(name, () => persist(`delete service ${name}`, remove, [404]));
    },
  };
}
