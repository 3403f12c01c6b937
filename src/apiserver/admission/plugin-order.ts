import type { Clock } from '#base/clock.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Random } from '#base/random.ts';
import type { Client } from '#client/mod.ts';
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
import { createEventRateLimit } from './event-rate-limit.ts';
import type { EventLimit } from './event-rate-limit.ts';
import { createImagePolicyWebhook } from './image-policy.ts';
import type { ImagePolicyBackend } from './image-policy.ts';
import { createLimitRanger } from './limit-ranger/limit-ranger.ts';
import { createNamespaceAutoProvision } from './namespace-auto-provision.ts';
import { createNamespaceLifecycle } from './namespace-lifecycle.ts';
import { createNodeRestriction } from './node-restriction/node-restriction.ts';
import { createOptionalPlugins } from './optional-plugins.ts';
import { createOwnerReferencesPermissionEnforcement } from './owner-references.ts';
import type { AdmissionPlugin } from './plugin.ts';
import { createPodNodeSelector } from './pod-node-selector.ts';
import type { NodeSelectorConfig } from './pod-node-selector.ts';
import { createPodSecurity } from './pod-security/pod-security.ts';
import type { PodSecurityConfig } from './pod-security/pod-security.ts';
import { createPodTolerationRestriction } from './pod-toleration-restriction.ts';
import type { TolerationConfig } from './pod-toleration-restriction.ts';
import { createPodTopologyLabels } from './pod-topology-labels.ts';
import { createPriorityPlugin } from './priority.ts';
import type { LimitedResource } from './quota/limited-resources.ts';
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
  ['NamespaceAutoProvision', false],
  ['NamespaceLifecycle', true],
  ['NamespaceExists', false],
  ['LimitPodHardAntiAffinityTopology', false],
  ['LimitRanger', true],
  ['ServiceAccount', true],
  // Off upstream, but k3s turns it on.
  ['NodeRestriction', true],
  ['TaintNodesByCondition', true],
  ['AlwaysPullImages', false],
  ['ImagePolicyWebhook', false],
  ['PodSecurity', true],
  ['PodNodeSelector', false],
  ['Priority', true],
  ['DefaultTolerationSeconds', true],
  ['PodTolerationRestriction', false],
  ['EventRateLimit', false],
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
  /** Makes namespaces: NamespaceAutoProvision cannot be turned on without. */
  readonly client?: Client | undefined;
  readonly metrics?: MetricRegistry | undefined;
  /** Of --admission-control-config-file. */
  readonly podSecurity?: PodSecurityConfig | undefined;
  /** EventRateLimit cannot be turned on without. */
  readonly eventLimits?: readonly EventLimit[] | undefined;
  /** ImagePolicyWebhook cannot be turned on without. */
  readonly imagePolicy?: ImagePolicyBackend | undefined;
  readonly limitedResources?: readonly LimitedResource[] | undefined;
  readonly nodeSelectors?: NodeSelectorConfig | undefined;
  readonly tolerations?: TolerationConfig | undefined;
  readonly notReadySeconds?: number;
  readonly unreachableSeconds?: number;
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

/** Plugins of upstream that are not there, with the reason; turning them on is refused. */
const absent: Readonly<Record<string, string>> = {
  ClusterTrustBundleAttest: 'ClusterTrustBundle is not served',
  PodGroupProtection: 'its feature gate is off',
  PodGroupWorkloadExists: 'its feature gate is off',
  NodeDeclaredFeatureValidator: 'its feature gate is off',
  JobValidation: 'its feature gate is off',
  PodResizeValidator: 'part of the validation of pods',
};

/** Plugins that --enable-admission-plugins may name, in order, with whether they are on anyway. */
export const admissionPlugins: readonly (readonly [name: string, isOn: boolean])[] = order;

/** What is wrong with a name in --enable-admission-plugins; undefined for one that can be on. */
export function enablingProblem(name: string): string | undefined {
  if (order.some(([known]) => known === name)) return undefined;
  const why = absent[name];
  if (why !== undefined) return `plugin ${JSON.stringify(name)} cannot be enabled: ${why}`;
  return `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`;
}

/** The same for --disable-admission-plugins; what is not there may be turned off. */
export function disablingProblem(name: string): string | undefined {
  if (absent[name] !== undefined || order.some(([known]) => known === name)) return undefined;
  return `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`;
}

function builtIn(options: AdmissionOptions): AdmissionPlugin[] {
  return [
    createNamespaceLifecycle(options),
    createLimitRanger(options),
    createServiceAccountPlugin(options),
    createNodeRestriction(options),
    createTaintNodesByCondition(),
    createPodSecurity(options),
    createPodNodeSelector(options),
    createPodTolerationRestriction(options),
    createPriorityPlugin(options),
    createDefaultTolerationSeconds(options),
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
    createResourceQuota({
      reader: options.reader,
      writer: options.quotaWriter,
      limited: options.limitedResources,
    }),
    ...(options.client === undefined
      ? []
      : [createNamespaceAutoProvision({ reader: options.reader, client: options.client })]),
    ...(options.imagePolicy === undefined
      ? []
      : [createImagePolicyWebhook({ clock: options.clock, backend: options.imagePolicy })]),
    ...(options.eventLimits === undefined
      ? []
      : [createEventRateLimit({ clock: options.clock, limits: options.eventLimits })]),
    ...createOptionalPlugins(options),
  ];
}
