import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../generated/types.ts';
import { checkEach, checkOneOf, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import { checkFullyQualifiedName } from '../formats/domain-names.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkMatchConditions, checkResourceRule, matchPolicies } from './resource-rules.ts';
import { checkReviewVersions, checkWebhookClient } from './webhook-clients.ts';

type Webhook = Unchecked<ValidatingWebhook | MutatingWebhook>;

const failurePolicies = ['Fail', 'Ignore'];
const sideEffects = ['None', 'NoneOnDryRun'];
const reinvocationPolicies = ['IfNeeded', 'Never'];

function checkWebhooks(
  errors: ErrorList,
  webhooks: readonly Webhook[] | undefined,
  old: readonly Webhook[] | undefined,
): void {
  const path = rootPath.child('webhooks');
  const stored = new Map(old?.map((webhook) => [webhook.name, webhook]));
  const names = new Set<string>();
  (webhooks ?? []).forEach((webhook, index) => {
    checkWebhook(errors, path.at(index), webhook, stored.get(webhook.name));
    const { name = '' } = webhook;
    if (names.has(name)) errors.duplicate(path.at(index), 'name', name);
    names.add(name);
  });
}

function checkWebhook(
  errors: ErrorList,
  path: FieldPath,
  webhook: Webhook,
  old: Webhook | undefined,
): void {
  checkFullyQualifiedName(errors, path, 'name', webhook.name);
  checkEach(errors, path.child('rules'), webhook.rules, checkResourceRule);
  checkOneOf(errors, path, 'failurePolicy', webhook.failurePolicy, failurePolicies);
  checkOneOf(errors, path, 'matchPolicy', webhook.matchPolicy, matchPolicies);
  if (webhook.sideEffects === undefined) {
    errors.required(path, 'sideEffects', 'must specify one of None, NoneOnDryRun');
  } else if (webhook.sideEffects !== old?.sideEffects) {
    checkOneOf(errors, path, 'sideEffects', webhook.sideEffects, sideEffects);
  }
  const { timeoutSeconds: seconds } = webhook;
  if (seconds !== undefined && (seconds < 1 || seconds > 30)) {
    const detail = 'the timeout value must be between 1 and 30 seconds';
    errors.invalid(path, 'timeoutSeconds', seconds, detail);
  }
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    checkLabelSelector(errors, path.child(field), webhook[field], old?.[field]);
  }
  if ('reinvocationPolicy' in webhook && webhook.reinvocationPolicy !== undefined) {
    const { reinvocationPolicy } = webhook;
    requireOneOf(errors, path, 'reinvocationPolicy', reinvocationPolicy, reinvocationPolicies);
  }
  checkWebhookClient(errors, path.child('clientConfig'), webhook.clientConfig);
  checkMatchConditions(errors, path.child('matchConditions'), webhook.matchConditions);
  const versions = webhook.admissionReviewVersions ?? [];
  const missing = 'must specify one of v1, v1beta1';
  checkReviewVersions(errors, path.child('admissionReviewVersions'), versions, missing);
}

export const validatingWebhookRules: KindRules<ValidatingWebhookConfiguration> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { webhooks }, old) {
    checkWebhooks(errors, webhooks, old?.webhooks);
  },
};

export const mutatingWebhookRules: KindRules<MutatingWebhookConfiguration> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { webhooks }, old) {
    checkWebhooks(errors, webhooks, old?.webhooks);
  },
};
