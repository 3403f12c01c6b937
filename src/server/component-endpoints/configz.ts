import type { ControllerManagerArgs, SchedulerArgs } from '../component-args/mod.ts';
import type { ComponentSettings } from '../component-settings/mod.ts';

/** Times of the election, which are those of upstream. */
function leaderElection(resourceName: string): object {
  return {
    leaderElect: true,
    leaseDuration: '15s',
    renewDeadline: '10s',
    retryPeriod: '2s',
    resourceLock: 'leases',
    resourceName,
    resourceNamespace: 'kube-system',
  };
}

/** What kube-scheduler shows of its configuration, as far as it acts. */
export function schedulerConfigz({ scheduling }: ComponentSettings): object {
  const { configuration } = scheduling;
  const profiles = configuration?.profiles ?? [{ schedulerName: 'default-scheduler' }];
  return {
    'kubescheduler.config.k8s.io': {
      kind: 'KubeSchedulerConfiguration',
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      parallelism: 16,
      leaderElection: leaderElection('kube-scheduler'),
      percentageOfNodesToScore: configuration?.percentageOfNodesToScore ?? 0,
      podInitialBackoffSeconds: configuration?.podInitialBackoffSeconds ?? 1,
      podMaxBackoffSeconds: configuration?.podMaxBackoffSeconds ?? 10,
      profiles: profiles.map((profile) => ({
        schedulerName: profile.schedulerName,
        ...('plugins' in profile ? { plugins: profile.plugins } : {}),
        ...('pluginConfig' in profile
          ? { pluginConfig: [...profile.pluginConfig].map(([name, args]) => ({ name, args })) }
          : {}),
      })),
      extenders: (configuration?.extenders ?? []).map(({ urlPrefix, weight, ignorable }) => ({
        urlPrefix,
        weight,
        ignorable,
      })),
    },
  };
}

/** What kube-controller-manager shows of its configuration, as far as it acts. */
export function controllerManagerConfigz(args: ControllerManagerArgs): object {
  return {
    'kubecontrollermanager.config.k8s.io': {
      Generic: {
        Address: args.text('bind-address'),
        Controllers: args.list('controllers'),
        LeaderElection: leaderElection('kube-controller-manager'),
      },
      KubeCloudShared: {
        AllocateNodeCIDRs: args.boolean('allocate-node-cidrs'),
        NodeMonitorPeriod: args.textOf('node-monitor-period'),
      },
      GarbageCollectorController: {
        EnableGarbageCollector: args.boolean('enable-garbage-collector'),
      },
      NodeLifecycleController: {
        NodeEvictionRate: args.number('node-eviction-rate'),
        SecondaryNodeEvictionRate: args.number('secondary-node-eviction-rate'),
        NodeStartupGracePeriod: args.textOf('node-startup-grace-period'),
        NodeMonitorGracePeriod: args.textOf('node-monitor-grace-period'),
        LargeClusterSizeThreshold: args.integer('large-cluster-size-threshold'),
        UnhealthyZoneThreshold: args.number('unhealthy-zone-threshold'),
      },
      HPAController: {
        HorizontalPodAutoscalerSyncPeriod: args.textOf('horizontal-pod-autoscaler-sync-period'),
        HorizontalPodAutoscalerDownscaleStabilizationWindow: args.textOf(
          'horizontal-pod-autoscaler-downscale-stabilization',
        ),
        HorizontalPodAutoscalerTolerance: args.number('horizontal-pod-autoscaler-tolerance'),
        HorizontalPodAutoscalerCPUInitializationPeriod: args.textOf(
          'horizontal-pod-autoscaler-cpu-initialization-period',
        ),
        HorizontalPodAutoscalerInitialReadinessDelay: args.textOf(
          'horizontal-pod-autoscaler-initial-readiness-delay',
        ),
      },
      ResourceQuotaController: {
        ResourceQuotaSyncPeriod: args.textOf('resource-quota-sync-period'),
      },
      AttachDetachController: {
        DisableForceDetachOnTimeout: args.boolean('disable-force-detach-on-timeout'),
      },
      LegacySATokenCleaner: {
        CleanUpPeriod: args.textOf('legacy-service-account-token-clean-up-period'),
      },
      PodGCController: { TerminatedPodGCThreshold: args.integer('terminated-pod-gc-threshold') },
      CSRSigningController: {
        ClusterSigningDuration: args.textOf('cluster-signing-duration'),
      },
    },
  };
}

/** Where a component listens; undefined with port 0. */
export interface PortSettings {
  readonly host: string;
  readonly port: number;
  readonly openPaths: readonly string[];
}

export function portSettings(
  args: SchedulerArgs | ControllerManagerArgs,
): PortSettings | undefined {
  const port = args.integer('secure-port');
  if (port === 0) return undefined;
  const openPaths = args.list('authorization-always-allow-paths');
  return { host: args.text('bind-address'), port, openPaths };
}
