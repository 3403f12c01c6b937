import type { UserInfo } from '#apiserver/mod.ts';
import type { ControllerName } from '#controllers/mod.ts';

const namespace = 'kube-system';

/** Shares informers, holds the lead and makes the accounts of controllers. */
export const managerUser: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: ['system:authenticated'],
};

export const schedulerUser: UserInfo = {
  name: 'system:kube-scheduler',
  groups: ['system:authenticated'],
};

/**
 * Service accounts in kube-system whose names controllers act under, where they are not the
 * controller's own; undefined for kube-controller-manager itself. As upstream.
 */
const accounts: Partial<Record<ControllerName, string | undefined>> = {
  'replicationcontroller-controller': 'replication-controller',
  'daemonset-controller': 'daemon-set-controller',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-mirroring-controller': 'endpointslicemirroring-controller',
  'serviceaccount-controller': 'service-account-controller',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'garbage-collector-controller': 'generic-garbage-collector',
  'node-lifecycle-controller': 'node-controller',
  'taint-eviction-controller': 'node-controller',
  'node-ipam-controller': 'node-controller',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'serviceaccount-token-controller': undefined,
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'token-cleaner-controller': 'token-cleaner',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'service-cidr-controller': 'service-cidrs-controller',
  'resourceclaim-controller': 'resource-claim-controller',
};

/** The service account of a controller; undefined when it acts as kube-controller-manager. */
export function accountOf(controller: ControllerName): string | undefined {
  return controller in accounts ? accounts[controller] : controller;
}

/** The user that a token of a service account in kube-system names; its uid comes when known. */
export function accountUser(account: string, uid: () => string | undefined): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${account}`,
    get uid() {
      return uid();
    },
    groups: [
      'system:serviceaccounts',
      `system:serviceaccounts:${namespace}`,
      'system:authenticated',
    ],
  };
}
