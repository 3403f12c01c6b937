import type {
  PodTemplateSpec,
  StatefulSet,
  StatefulSetSpec,
  Volume,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkNotNegative, checkOneOf, checkOptionalFormat, requireText } from '../checks.ts';
import { ErrorList } from '../error-list.ts';
import { specPath } from '../field-path.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkPodTemplate } from '../pods/template.ts';
import { checkPvcSpec } from '../storage/pvc-spec.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkCollisions, checkCounts, checkParts } from './replica-counts.ts';
import { checkLasting, checkTemplateLabels, checkWorkloadSelector } from './workload-template.ts';

type Spec = Unchecked<StatefulSetSpec>;

const retention = ['Retain', 'Delete'];
const mutableFields = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const;
const changeText =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
const counters = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
];
const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'];

export const statefulSetRules: KindRules<StatefulSet> = {
  name: dns1123LabelErrors,
  check(errors, { spec = {} }, old) {
    const isNew = old === undefined;
    checkManagement(errors, spec);
    checkStrategy(errors, spec);
    const policyPath = specPath.child('persistentVolumeClaimRetentionPolicy');
    const policy = spec.persistentVolumeClaimRetentionPolicy;
    checkOneOf(errors, policyPath, 'whenDeleted', policy?.whenDeleted, retention);
    checkOneOf(errors, policyPath, 'whenScaled', policy?.whenScaled, retention);
    (isNew ? (spec.volumeClaimTemplates ?? []) : []).forEach((claim, index) => {
      const path = specPath.child('volumeClaimTemplates').at(index).child('spec');
      checkPvcSpec(errors, path, claim.spec ?? {});
    });
    checkNotNegative(errors, specPath, 'replicas', spec.replicas);
    checkNotNegative(errors, specPath, 'minReadySeconds', spec.minReadySeconds);
    checkNotNegative(errors, specPath, 'ordinals.start', spec.ordinals?.start);
    if (isNew) {
      checkOptionalFormat(errors, specPath, 'serviceName', spec.serviceName, dns1123LabelErrors);
    }
    checkWorkloadSelector(errors, specPath, spec, 'statefulset', old?.spec);
    checkTemplateLabels(errors, specPath, spec);
    checkTemplate(errors, spec, old?.spec);
    checkLasting(errors, specPath, spec.template ?? {}, 'StatefulSet');
  },
  update(errors, { spec = {} }, old) {
    const fixed: Record<string, unknown> = { ...spec };
    for (const field of mutableFields) fixed[field] = old.spec?.[field];
    if (!jsonEqual(fixed, old.spec ?? {})) errors.forbidden(specPath, '', changeText);
  },
  subresources: {
    status(errors, { status = {} }, old) {
      checkCounts(errors, status, counters);
      checkParts(errors, status, parts, 'cannot be greater than status.readyReplicas');
      checkCollisions(errors, status, old.status);
    },
  },
};

function checkManagement(errors: ErrorList, { podManagementPolicy: policy }: Spec): void {
  if (!requireText(errors, specPath, 'podManagementPolicy', policy)) return;
  if (policy === 'OrderedReady' || policy === 'Parallel') return;
  const detail = "must be 'OrderedReady' or 'Parallel'";
  errors.invalid(specPath, 'podManagementPolicy', policy, detail);
}

function checkStrategy(errors: ErrorList, { updateStrategy: strategy = {} }: Spec): void {
  const path = specPath.child('updateStrategy');
  const { type = '', rollingUpdate } = strategy;
  if (type === '') errors.required(path, '');
  else if (type === 'OnDelete') {
    if (rollingUpdate === undefined) return;
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    errors.invalid(path, 'rollingUpdate', rollingUpdate, detail);
  } else if (type === 'RollingUpdate') {
    checkNotNegative(errors, path, 'rollingUpdate.partition', rollingUpdate?.partition);
  } else errors.invalid(path, '', strategy, "must be 'RollingUpdate' or 'OnDelete'");
}

/** A template that was bad before is not looked at again. */
function checkTemplate(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  if (old !== undefined) {
    const before = new ErrorList();
    checkTemplateAlone(before, old, old);
    if (before.count > 0) return;
  }
  checkTemplateAlone(errors, spec, old);
}

/** Host names are set by the controller; a claim template becomes a volume of every pod. */
function checkTemplateAlone(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  const template: Unchecked<PodTemplateSpec> = spec.template ?? {};
  const podSpec = { ...template.spec, hostname: undefined, subdomain: undefined };
  const extraVolumes = spec.volumeClaimTemplates?.map(({ metadata }): Unchecked<Volume> => {
    const name = metadata?.name ?? '';
    return { name, persistentVolumeClaim: { claimName: name } };
  });
  const options = { old: old?.template, extraVolumes };
  checkPodTemplate(errors, specPath.child('template'), { ...template, spec: podSpec }, options);
}
