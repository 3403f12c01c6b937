import { isAbsolute } from 'node:path';
import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import type { CelProgram } from '#cel/mod.ts';
import { ConfigErrors } from '../../config-file/config-errors.ts';
import { readConfigObject } from '../../config-file/config-object.ts';
import type { ConfigObject } from '../../config-file/config-object.ts';
import { createConditionEnvironment } from '../webhook/match-conditions.ts';

/** Authorizers by their names in --authorization-mode. */
export const authorizationModes = [
  'ABAC',
  'AlwaysAllow',
  'AlwaysDeny',
  'Node',
  'RBAC',
  'Webhook',
] as const;
export type AuthorizationMode = (typeof authorizationModes)[number];

const maxConditions = 64;
const maxTimeoutMs = 30_000;

/** How a webhook is reached and what its answers mean. */
export interface WebhookPolicy {
  /** Path of the kubeconfig that names it. */
  readonly kubeconfig: string;
  readonly timeoutMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  readonly conditions: readonly CelProgram[];
  /** Of the SubjectAccessReview that it is sent. */
  readonly version: 'v1' | 'v1beta1';
}

export interface AuthorizerEntry {
  readonly mode: AuthorizationMode;
  readonly name: string;
  /** Of mode Webhook. */
  readonly webhook?: WebhookPolicy | undefined;
}

/**
 * Reads --authorization-config: the authorizers in the order in which they are asked. Throws an
 * Error that says all that is wrong, in upstream's words.
 */
export function readAuthorizationConfiguration(text: string): AuthorizerEntry[] {
  const object = readConfigObject(text, 'AuthorizationConfiguration', [
    'v1',
    'v1beta1',
    'v1alpha1',
  ]).only(['apiVersion', 'kind', 'authorizers']);
  const errors = new ConfigErrors();
  const list = object.objects('authorizers');
  if (list.length === 0) {
    errors.required('authorizers', 'at least one authorization mode must be defined');
  }
  const seenTypes = new Set<string>();
  const seenNames = new Set<string>();
  const entries = list.flatMap((entry): AuthorizerEntry[] => {
    entry.only(['type', 'name', 'webhook']);
    const mode = entry.text('type');
    const path = entry.pathOf('type');
    if (mode === '') {
      errors.required(path);
      return [];
    }
    if (!isMode(mode)) {
      errors.unsupported(path, mode, authorizationModes);
      return [];
    }
    if (seenTypes.has(mode) && mode !== 'Webhook') {
      errors.duplicate(path, mode);
      return [];
    }
    seenTypes.add(mode);
    const name = entry.text('name');
    checkName(name, entry.pathOf('name'), seenNames, errors);
    const webhook = entry.object('webhook');
    if (mode !== 'Webhook') {
      if (webhook !== undefined) {
        const detail = 'may only be specified when type=Webhook';
        errors.invalid(entry.pathOf('webhook'), 'non-null', detail);
      }
      return [{ mode, name }];
    }
    if (webhook === undefined) {
      errors.required(entry.pathOf('webhook'), 'required when type=Webhook');
      return [];
    }
    const place = entry.pathOf('').replace(/\.$/, '');
    return [{ mode, name, webhook: readWebhook(webhook, place, errors) }];
  });
  errors.check('invalid AuthorizationConfiguration');
  return entries;
}

function isMode(text: string): text is AuthorizationMode {
  return (authorizationModes as readonly string[]).includes(text);
}

function checkName(name: string, path: string, seen: Set<string>, errors: ConfigErrors): void {
  if (name === '') errors.required(path);
  else if (seen.has(name)) errors.duplicate(path, name);
  else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || name.length > 253) {
    errors.invalid(
      path,
      name,
      "authorizer name is invalid: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    );
  }
  seen.add(name);
}

/** Upstream's errors name the fields of a webhook as fields of its entry, which is at `place`. */
function readWebhook(given: ConfigObject, place: string, errors: ConfigErrors): WebhookPolicy {
  const known = given.only([
    'authorizedTTL',
    'unauthorizedTTL',
    'cacheAuthorizedRequests',
    'cacheUnauthorizedRequests',
    'timeout',
    'subjectAccessReviewVersion',
    'matchConditionSubjectAccessReviewVersion',
    'failurePolicy',
    'connectionInfo',
    'matchConditions',
  ]);
  const webhook = known.toldAs(place);
  const timeoutMs = readDuration(webhook, 'timeout', undefined, errors);
  if (timeoutMs < 0 || timeoutMs > maxTimeoutMs) {
    errors.invalid(webhook.pathOf('timeout'), webhook.text('timeout'), 'must be > 0s and <= 30s');
  }
  const authorized = readDuration(webhook, 'authorizedTTL', '5m', errors);
  const unauthorized = readDuration(webhook, 'unauthorizedTTL', '30s', errors);
  const version = webhook.text('subjectAccessReviewVersion');
  const versionPath = webhook.pathOf('subjectAccessReviewVersion');
  if (version === '') errors.required(versionPath);
  else if (version !== 'v1' && version !== 'v1beta1') {
    errors.unsupported(versionPath, version, ['v1', 'v1beta1']);
  }
  const failurePolicy = webhook.text('failurePolicy');
  const policyPath = webhook.pathOf('failurePolicy');
  if (failurePolicy === '') errors.required(policyPath);
  else if (failurePolicy !== 'NoOpinion' && failurePolicy !== 'Deny') {
    errors.unsupported(policyPath, failurePolicy, ['NoOpinion', 'Deny']);
  }
  return {
    kubeconfig: readConnection(webhook, errors),
    timeoutMs,
    authorizedTtlMs: webhook.boolean('cacheAuthorizedRequests') === false ? 0 : authorized,
    unauthorizedTtlMs: webhook.boolean('cacheUnauthorizedRequests') === false ? 0 : unauthorized,
    failurePolicy: failurePolicy === 'Deny' ? 'Deny' : 'NoOpinion',
    conditions: readConditions(webhook, errors),
    version: version === 'v1beta1' ? 'v1beta1' : 'v1',
  };
}

function readDuration(
  of: ConfigObject,
  name: string,
  fallback: string | undefined,
  errors: ConfigErrors,
): number {
  const text = of.text(name) === '' ? (fallback ?? '') : of.text(name);
  if (text === '') {
    errors.required(of.pathOf(name));
    return 0;
  }
  try {
    const ms = parseDuration(text);
    if (ms === 0) errors.required(of.pathOf(name));
    else if (ms < 0 && name !== 'timeout') errors.invalid(of.pathOf(name), text, 'must be > 0s');
    return ms;
  } catch (error) {
    errors.invalid(of.pathOf(name), text, messageOf(error));
    return 0;
  }
}

function readConnection(webhook: ConfigObject, errors: ConfigErrors): string {
  const info = webhook.object('connectionInfo')?.only(['type', 'kubeConfigFile']);
  const path = webhook.pathOf('connectionInfo');
  const type = info?.text('type') ?? '';
  const file = info?.text('kubeConfigFile') ?? '';
  const filePath = `${path}.kubeConfigFile`;
  if (type === '') errors.required(`${path}.type`);
  else if (type !== 'KubeConfigFile') {
    errors.unsupported(`${path}.type`, type, ['KubeConfigFile']);
  } else if (file === '') errors.required(filePath);
  else if (!isAbsolute(file)) errors.invalid(filePath, file, 'must be an absolute path');
  return file;
}

function readConditions(webhook: ConfigObject, errors: ConfigErrors): CelProgram[] {
  const list = webhook.objects('matchConditions');
  const path = webhook.pathOf('matchConditions');
  const version = webhook.text('matchConditionSubjectAccessReviewVersion');
  const versionPath = webhook.pathOf('matchConditionSubjectAccessReviewVersion');
  if (version === '' && list.length > 0) {
    errors.required(versionPath, 'required if match conditions are specified');
  } else if (version !== '' && version !== 'v1') errors.unsupported(versionPath, version, ['v1']);
  if (list.length > maxConditions) {
    errors.tooMany(path, list.length, maxConditions);
    return [];
  }
  if (list.length === 0) return [];
  const environment = createConditionEnvironment();
  const seen = new Set<string>();
  return list.flatMap((condition) => {
    const expression = condition.only(['expression']).text('expression');
    const at = condition.pathOf('expression');
    if (expression.trim() === '') errors.required(at);
    else if (seen.has(expression)) errors.duplicate(at, expression);
    else {
      seen.add(expression);
      try {
        return [environment.compile(expression, { resultTypes: [{ kind: 'bool' }] })];
      } catch (error) {
        errors.invalid(at, expression, messageOf(error));
      }
    }
    return [];
  });
}
