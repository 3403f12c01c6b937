import { humanDuration } from '#base/duration.ts';
import type {
  CertificateSigningRequest,
  ClusterRoleBinding,
  FlowSchema,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  ParamKind,
  PriorityLevelConfiguration,
  RoleBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../generated/types.ts';
import type { Cell } from './cell-text.ts';
import { age, none, selectorText, unset } from './cell-text.ts';

export function roleBindingCells(binding: RoleBinding | ClusterRoleBinding, nowMs: number): Cell[] {
  const { metadata, roleRef, subjects = [] } = binding;
  const namesOf = (kind: string): string =>
    subjects
      .filter((subject) => subject.kind === kind)
      .map(({ namespace, name }) => (namespace ? `${namespace}/${name}` : name))
      .join(', ');
  return [
    metadata.name,
    `${roleRef.kind}/${roleRef.name}`,
    age(metadata.creationTimestamp, nowMs),
    namesOf('User'),
    namesOf('Group'),
    namesOf('ServiceAccount'),
  ];
}

function requestCondition({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map((condition) => condition.type));
  let text = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending';
  if (types.has('Failed')) text += ',Failed';
  return status?.certificate ? `${text},Issued` : text;
}

export function signingRequestCells(request: CertificateSigningRequest, nowMs: number): Cell[] {
  const { metadata, spec } = request;
  const seconds = spec.expirationSeconds;
  return [
    metadata.name,
    age(metadata.creationTimestamp, nowMs),
    spec.signerName || none,
    spec.username ?? '',
    seconds === undefined ? none : humanDuration(seconds * 1000),
    requestCondition(request),
  ];
}

export function webhookCells(
  { metadata, webhooks = [] }: MutatingWebhookConfiguration | ValidatingWebhookConfiguration,
  nowMs: number,
): Cell[] {
  return [metadata.name, webhooks.length, age(metadata.creationTimestamp, nowMs)];
}

function paramKindText(kind: ParamKind | undefined): string {
  if (kind === undefined) return unset;
  return kind.apiVersion ? `${kind.apiVersion}/${kind.kind ?? ''}` : (kind.kind ?? '');
}

export function validatingPolicyCells(
  { metadata, spec }: ValidatingAdmissionPolicy,
  nowMs: number,
): Cell[] {
  return [
    metadata.name,
    spec?.validations?.length ?? 0,
    paramKindText(spec?.paramKind),
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function mutatingPolicyCells(
  { metadata, spec }: MutatingAdmissionPolicy,
  nowMs: number,
): Cell[] {
  return [
    metadata.name,
    spec?.mutations?.length ?? 0,
    paramKindText(spec?.paramKind),
    age(metadata.creationTimestamp, nowMs),
  ];
}

export function policyBindingCells(
  binding: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding,
  nowMs: number,
): Cell[] {
  const { metadata, spec } = binding;
  const reference = spec?.paramRef;
  let text = unset;
  if (reference?.name) text = `${reference.namespace || '*'}/${reference.name}`;
  else if (reference?.selector !== undefined) text = selectorText(reference.selector);
  return [metadata.name, spec?.policyName ?? '', text, age(metadata.creationTimestamp, nowMs)];
}

export function flowSchemaCells({ metadata, spec, status }: FlowSchema, nowMs: number): Cell[] {
  const dangling = status?.conditions?.find((condition) => condition.type === 'Dangling');
  return [
    metadata.name,
    spec?.priorityLevelConfiguration.name ?? '',
    spec?.matchingPrecedence ?? 0,
    spec?.distinguisherMethod?.type ?? none,
    age(metadata.creationTimestamp, nowMs),
    dangling?.status ?? '?',
  ];
}

export function priorityLevelCells(
  { metadata, spec }: PriorityLevelConfiguration,
  nowMs: number,
): Cell[] {
  const queuing = spec?.limited?.limitResponse?.queuing;
  return [
    metadata.name,
    spec?.type ?? '',
    spec?.limited?.nominalConcurrencyShares ?? none,
    queuing?.queues ?? none,
    queuing?.handSize ?? none,
    queuing?.queueLengthLimit ?? none,
    age(metadata.creationTimestamp, nowMs),
  ];
}
