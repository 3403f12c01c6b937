import type { HealthCheck } from '#apiserver/mod.ts';

/** How far a server's start has come; filled in by the composition root. */
export interface StartupState {
  /** Every kind is loaded into the watch cache. */
  hasLoaded: boolean;
  /** Namespaces, roles, priority classes and the rest are in place. */
  hasBootstrapped: boolean;
}

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
    ...bootstrapHooks.map((hook) => ({
      name: `poststarthook/${hook}`,
      check: require(() => state.hasBootstrapped, 'not finished'),
    })),
  ];
}
