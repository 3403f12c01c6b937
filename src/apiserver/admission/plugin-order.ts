import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import type { ResourceInfo } from '#schema/mod.ts';

import type { Authorizer } from '../authz/authorizer.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { RbacAuthorizer } from '../authz/rbac/rbac-authorizer.ts';
import {
  createCertificateApproval,
  createCertificateSigning,
} from './certificates/certificate-approval.ts';
import { createCertificateSubjectRestriction } from './certificates/certificate-subject.ts';
import { createPersistentVolumeClaimResize } from './claim-resize.ts';
import { createDefaultIngressClass } from './default-ingress-class.ts';
import { createDefaultStorageClass } from './default-storage-class.ts';
import { createDefaultTolerationSeconds } from './default-toleration-seconds.ts';
import { createLimitRanger } from './limit-ranger/limit-ranger.ts';
import { createNamespaceLifecycle } from './namespace-lifecycle.ts';
import { createNodeRestriction } from './node-restriction/node-restriction.ts';
import { createOptionalPlugins } from './optional-plugins.ts';
import { createOwnerReferencesPermissionEnforcement } from './owner-references.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { createPodSecurity } from './pod-security/pod-security.ts';
import { createPodTopologyLabels } from './pod-topology-labels.ts';
import { createPriorityPlugin } from './priority.ts';
import { createResourceQuota } from './quota/resource-quota.ts';
import type { QuotaWriter } from './quota/resource-quota.ts';
import { createRoleEscalationCheck } from './role-escalation.ts';
import { createRuntimeClassPlugin } from './runtime-class.ts';
import { createServiceAccountPlugin } from './service-account.ts';
import { createStorageObjectInUseProtection } from './storage-object-in-use.ts';
import { createTaintNodesByCondition } from './taint-nodes-by-condition.ts';

/** Plugins by upstream's names, in upstream's order, with whether they are on by default. */
const order: readonly [name: string, isOn: boolean][] = [
  ['AlwaysAdmit', false],
  ['NamespaceLifecycle', true],
  ['NamespaceExists', false],
  ['LimitPodHardAntiAffinityTopology', false],
  ['LimitRanger', true],
  ['ServiceAccount', true],
  // Off upstream, but k3s turns it on.
  ['NodeRestriction', true],
  ['TaintNodesByCondition', true],
  ['AlwaysPullImages', false],
  ['PodSecurity', true],
  ['Priority', true],
  ['DefaultTolerationSeconds', true],
  ['ExtendedResourceToleration', false],
  ['DefaultStorageClass', true],
  ['StorageObjectInUseProtection', true],
  ['OwnerReferencesPermissionEnforcement', false],
  ['PersistentVolumeClaimResize', true],
  ['RuntimeClass', true],
  ['CertificateApproval', true],
  ['CertificateSigning', true],
  ['CertificateSubjectRestriction', true],
  ['DefaultIngressClass', true],
  ['DenyServiceExternalIPs', false],
  ['PodTopologyLabels', true],
  ['MutatingAdmissionPolicy', true],
  ['MutatingAdmissionWebhook', true],
  ['ValidatingAdmissionPolicy', true],
  ['ValidatingAdmissionWebhook', true],
  ['ResourceQuota', true],
  ['AlwaysDeny', false],
];

export interface AdmissionOptions {
  readonly reader: ObjectReader;
  readonly authorizer: Authorizer;
  readonly rbac: RbacAuthorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly resources: () => readonly ResourceInfo[];
  readonly quotaWriter: QuotaWriter;
  /** --enable-admission-plugins and --disable-admission-plugins. */
  readonly enable?: readonly string[] | undefined;
  readonly disable?: readonly string[] | undefined;
  /** Plugins made elsewhere (webhooks, policies); they take their place in the order by name. */
  readonly more?: readonly AdmissionPlugin[] | undefined;
}

/**
 * The plugins that are on, in the order in which both passes ask them. The check against handing
 * out permissions comes first and cannot be turned off. Names that nobody makes are left out.
 */
export function createAdmissionPlugins(options: AdmissionOptions): AdmissionPlugin[] {
  const made = new Map(
    [...builtIn(options), ...(options.more ?? [])].map((plugin) => [plugin.name, plugin]),
  );
  const plugins: AdmissionPlugin[] = [];
  for (const [name, isOn] of order) {
    const isWanted = options.enable?.includes(name) === true || isOn;
    const plugin = made.get(name);
    if (plugin === undefined || !isWanted || options.disable?.includes(name) === true) continue;
    plugins.push(plugin);
  }
  return [createRoleEscalationCheck(options), ...plugins];
}

/** Names that --enable-admission-plugins and --disable-admission-plugins may say. */
export const admissionPluginNames: readonly string[] = order.map(([name]) => name);

function builtIn(options: AdmissionOptions): AdmissionPlugin[] {
  return [
    createNamespaceLifecycle(options),
    createLimitRanger(options),
    createServiceAccountPlugin(options),
    createNodeRestriction(options),
    createTaintNodesByCondition(),
    createPodSecurity(options),
    createPriorityPlugin(options),
    createDefaultTolerationSeconds(),
    createDefaultStorageClass(options),
    createStorageObjectInUseProtection(),
    createOwnerReferencesPermissionEnforcement(options),
    createPersistentVolumeClaimResize(options),
    createRuntimeClassPlugin(options),
    createCertificateApproval(options),
    createCertificateSigning(options),
    createCertificateSubjectRestriction(),
    createDefaultIngressClass(options),
    createPodTopologyLabels(options),
    createResourceQuota({ reader: options.reader, writer: options.quotaWriter }),
    ...createOptionalPlugins(options),
  ];
}
