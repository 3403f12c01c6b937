import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../../generated/types.ts';
import { checkImmutable, requireOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { annotationsPath, metadataPath, specPath, statusPath } from '../field-path.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import type { Unchecked } from '../unchecked.ts';
import { isEmpty } from '../unchecked.ts';
import { checkVersions } from './definition-versions.ts';
import { checkReviewVersions, checkWebhookClient } from './webhook-clients.ts';

type Definition = Unchecked<CustomResourceDefinition>;
type Spec = Unchecked<CustomResourceDefinitionSpec>;

const scopes = ['Cluster', 'Namespaced'];
const strategies = ['None', 'Webhook'];
const approval = 'api-approved.kubernetes.io';

export const definitionRules: KindRules<CustomResourceDefinition> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, definition, old) {
    const { metadata, spec = {}, status } = definition;
    if (old === undefined) checkDefinitionName(errors, metadata?.name ?? '', spec);
    checkSpec(errors, spec, old?.spec);
    checkNames(errors, statusPath.child('acceptedNames'), status?.acceptedNames ?? {});
    checkStoredVersions(errors, definition);
    checkApproval(errors, definition, old);
    if (spec.preserveUnknownFields === true && old?.spec?.preserveUnknownFields !== true) {
      const detail =
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
      errors.invalid(specPath, 'preserveUnknownFields', true, detail);
    }
  },
  update(errors, { spec = {} }, old) {
    const { spec: before = {}, status } = old;
    const isEstablished = status?.conditions?.some(
      (condition) => condition.type === 'Established' && condition.status === 'True',
    );
    if (isEstablished === true) {
      checkImmutable(errors, specPath, 'scope', spec.scope, before.scope);
      checkImmutable(errors, specPath, 'names.kind', spec.names?.kind, before.names?.kind);
    }
    checkImmutable(errors, specPath, 'group', spec.group, before.group);
    checkImmutable(errors, specPath, 'names.plural', spec.names?.plural, before.names?.plural);
  },
  subresources: {
    status(errors, definition) {
      const accepted = definition.status?.acceptedNames ?? {};
      checkNames(errors, statusPath.child('acceptedNames'), accepted);
      checkStoredVersions(errors, definition);
    },
  },
};

function checkDefinitionName(errors: ErrorList, name: string, spec: Spec): void {
  if (name === `${spec.names?.plural ?? ''}.${spec.group ?? ''}`) return;
  errors.invalid(metadataPath, 'name', name, 'must be spec.names.plural+"."+spec.group');
}

function checkSpec(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  const { group = '', names = {} } = spec;
  if (requireText(errors, specPath, 'group', group)) {
    const messages = dns1123SubdomainErrors(group);
    for (const detail of messages) errors.invalid(specPath, 'group', group, detail);
    if (messages.length === 0 && !group.includes('.')) {
      const detail = 'should be a domain with at least one dot';
      errors.invalid(specPath, 'group', group, detail);
    }
  }
  requireOneOf(errors, specPath, 'scope', spec.scope, scopes);
  checkVersions(errors, spec, old);
  const namesPath = specPath.child('names');
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    requireText(errors, namesPath, field, names[field]);
  }
  checkNames(errors, namesPath, names);
  checkConversion(errors, spec);
}

function checkNames(
  errors: ErrorList,
  path: FieldPath,
  names: Unchecked<CustomResourceDefinitionNames>,
): void {
  const { kind = '', listKind = '' } = names;
  for (const field of ['plural', 'singular'] as const) {
    checkLabel(errors, path, field, names[field] ?? '');
  }
  for (const [field, value] of Object.entries({ kind, listKind })) {
    const messages = value === '' ? [] : dns1035LabelErrors(value.toLowerCase());
    if (messages.length === 0) continue;
    const detail = `may have mixed case, but should otherwise match: ${messages.join(',')}`;
    errors.invalid(path, field, value, detail);
  }
  (names.shortNames ?? []).forEach((name, index) => {
    checkLabel(errors, path.child('shortNames'), index, name);
  });
  if (kind !== '' && kind === listKind) {
    errors.invalid(path, 'listKind', listKind, 'kind and listKind may not be the same');
  }
  (names.categories ?? []).forEach((name, index) => {
    checkLabel(errors, path.child('categories'), index, name);
  });
}

function checkLabel(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  name: string,
): void {
  if (name === '' && typeof field === 'string') return;
  const messages = dns1035LabelErrors(name);
  if (messages.length > 0) errors.invalid(path, field, name, messages.join(','));
}

/** Errors give the webhook's fields the places that they had in the internal form. */
function checkConversion(errors: ErrorList, { conversion, preserveUnknownFields }: Spec): void {
  if (conversion === undefined) return;
  const path = specPath.child('conversion');
  const { strategy = '', webhook } = conversion;
  requireOneOf(errors, path, 'strategy', strategy, strategies);
  if (strategy !== 'None' && preserveUnknownFields === true) {
    const detail = 'must be None if spec.preserveUnknownFields is true';
    errors.invalid(path, 'strategy', strategy, detail);
  }
  const clientPath = path.child('webhookClientConfig');
  const versionsPath = path.child('conversionReviewVersions');
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig === undefined) {
      errors.required(clientPath, '', 'required when strategy is set to Webhook');
    } else checkWebhookClient(errors, clientPath, webhook.clientConfig);
    checkReviewVersions(errors, versionsPath, webhook?.conversionReviewVersions ?? [], '');
    return;
  }
  const detail = 'should not be set when strategy is not set to Webhook';
  if (webhook?.clientConfig !== undefined) errors.forbidden(clientPath, '', detail);
  if (!isEmpty(webhook?.conversionReviewVersions)) errors.forbidden(versionsPath, '', detail);
}

/** Versions that objects may still be stored in have to be served from. */
function checkStoredVersions(errors: ErrorList, { spec = {}, status }: Definition): void {
  const stored = status?.storedVersions ?? [];
  const path = statusPath.child('storedVersions');
  const versions = spec.versions ?? [];
  if (stored.length === 0) {
    errors.invalid(path, '', stored, 'must have at least one stored version');
    return;
  }
  const storage = versions.find((version) => version.storage === true)?.name ?? '';
  if (!stored.includes(storage)) {
    errors.invalid(path, '', stored, `must have the storage version ${storage}`);
  }
  stored.forEach((name, index) => {
    if (versions.some((version) => version.name === name)) return;
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.invalid(path, index, name, detail);
  });
}

/** Groups of Kubernetes itself take only kinds that its community looked at. */
function checkApproval(
  errors: ErrorList,
  definition: Definition,
  old: Definition | undefined,
): void {
  const group = definition.spec?.group ?? '';
  const isProtected = ['k8s.io', 'kubernetes.io'].some(
    (domain) => group === domain || group.endsWith(`.${domain}`),
  );
  if (!isProtected) return;
  const value = definition.metadata?.annotations?.[approval] ?? '';
  if (old !== undefined && value === (old.metadata?.annotations?.[approval] ?? '')) return;
  const path = annotationsPath.key(approval);
  const rule = `protected groups must have approval annotation "${approval}"`;
  const link = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') errors.required(path, '', `${rule}, ${link}`);
  else if (!value.startsWith('unapproved') && !/^https?:\/\/[^/]+/.test(value)) {
    const detail = `${rule} with either a URL or a reason starting with "unapproved", ${link}`;
    errors.invalid(path, '', value, detail);
  }
}
