import type { HealthCheck } from '#apiserver/mod.ts';

/** How far a server's start has come; filled in by the composition root. */
export interface StartupState {
  /** Every kind is loaded into the watch cache. */
  hasLoaded: boolean;
  /** Namespaces, roles, priority classes and the rest are in place. */
  hasBootstrapped: boolean;
}

/** What works as soon as every kind is loaded, under the names of upstream's start hooks. */
const loadedHooks = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'storage-object-count-tracker-hook',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
];

/** What begins with them and has nothing to be waited for. */
const laterHooks = [
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'aggregator-reload-proxy-client-cert',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
];

/** Objects of bootstrapping, under the names of upstream's start hooks that make them there. */
const bootstrapHooks = [
  'start-system-namespaces-controller',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'start-cluster-authentication-info-controller',
  'start-kubernetes-service-cidr-controller',
  'bootstrap-controller',
];

/** Health checks of the start, with upstream's names for what k3ts does too. */
export function startupChecks(state: StartupState): HealthCheck[] {
  const require = (isMet: () => boolean, text: string) => (): void => {
    if (!isMet()) throw new Error(text);
  };
  return [
    {
      name: 'informer-sync',
      endpoints: ['readyz'],
      check: require(() => state.hasLoaded, 'the watch cache is still loading'),
    },
    ...hookChecks(
      loadedHooks,
      require(() => state.hasLoaded, 'not finished'),
    ),
    ...hookChecks(
      bootstrapHooks,
      require(() => state.hasBootstrapped, 'not finished'),
    ),
    ...hookChecks(
      laterHooks,
      require(() => state.hasLoaded, 'not finished'),
    ),
  ];
}

function hookChecks(hooks: readonly string[], check: HealthCheck['check']): HealthCheck[] {
  return hooks.map((hook) => ({ name: `poststarthook/${hook}`, check }));
}
