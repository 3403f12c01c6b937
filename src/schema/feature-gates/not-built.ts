const devices = 'claims, classes and slices are stored and checked; devices are not allocated';
const noWindows = 'there are no Windows nodes';
const noOtlp = 'traces are not sent; the steps are published inside the process';

/** Features that are on upstream and do nothing here, and why. */
const reasons: Readonly<Record<string, string>> = {
  APIServerTracing: noOtlp,
  KubeletCgroupDriverFromCRI: 'cgroupfs is the only driver',
  KubeletTracing: noOtlp,
  NodeDeclaredFeatures: 'nodes of a k3ts cluster have the features of its version',
  NodeLogQuery: 'the kubelet serves no logs of system services',
  OpportunisticBatching: 'the scheduler keeps counts instead of batches',
  ResourceHealthStatus: 'the health of devices is not in the status of containers',
  ResourceHealthStatusMessage: 'the health of devices is not in the status of containers',
  SELinuxChangePolicy: 'the field is stored; SELinux labels are not changed',
  SELinuxMountReadWriteOncePod: 'SELinux labels are not changed',
  StructuredAuthenticationConfigurationEgressSelector: 'there is no egress selector',
  SystemdWatchdog: 'systemd watches the process, not the kubelet in it',
  UnknownVersionInteroperabilityProxy: 'all servers of a cluster have one version',
  WinDSR: noWindows,
  WinOverlay: noWindows,
  WindowsGracefulNodeShutdown: noWindows,
};

/** Gates of devices that are about the API alone. */
const inApi: ReadonlySet<string> = new Set([
  'DRAAdminAccess',
  'DRAResourceClaimGranularStatusAuthorization',
]);

/** Why the feature of a gate that is on does nothing; undefined when it acts. */
export function notBuilt(gate: string): string | undefined {
  return gate.startsWith('DRA') && !inApi.has(gate) ? devices : reasons[gate];
}

/** Gates over how upstream's own code works: nothing of them is to be seen from outside. */
const internals: ReadonlySet<string> = new Set(
  `
  AtomicFIFO BtreeWatchCache ClientsAllowCARotation ClientsAllowTLSCacheGC DeclarativeValidation
  DeclarativeValidationBeta DetectCacheInconsistency DisableAllocatorDualWrite
  InOrderInformers InOrderInformersBatchProcess InformerResourceVersion ListFromCacheSnapshot
  PLEGOnDemandRelist ResilientWatchCacheInitialization SchedulerAsyncPreemption
  SizeBasedListCostEstimate StaleControllerConsistencyDaemonSet StaleControllerConsistencyJob
  StaleControllerConsistencyReplicaSet StaleControllerConsistencyStatefulSet StorageNamespaceIndex
  StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf
  UnauthenticatedHTTP2DOSMitigation UnlockWhileProcessingFIFO WatchCacheInitializationPostStartHook
  WatchListClient
  `
    .trim()
    .split(/\s+/),
);

export function isInternal(gate: string): boolean {
  return internals.has(gate);
}
