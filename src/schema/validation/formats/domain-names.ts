import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { exceedsBytes } from '../checks.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from './names.ts';

const httpPath = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const httpPathText =
  "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/** `acme.io/foo`: managedBy of jobs, controller of ingress classes. */
export function checkDomainPrefixedPath(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: string,
): void {
  if (value === '') {
    errors.required(path, field);
    return;
  }
  const slash = value.indexOf('/');
  if (slash < 1 || slash === value.length - 1) {
    errors.invalid(path, field, value, 'must be a domain-prefixed path (such as "acme.io/foo")');
    return;
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  for (const detail of dns1123SubdomainErrors(host)) errors.invalid(path, field, host, detail);
  if (!httpPath.test(rest)) errors.invalid(path, field, rest, httpPathText);
}

/** A domain of three segments or more: names of webhooks. */
export function checkFullyQualifiedName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: string | undefined,
): void {
  if (value === undefined || value === '') {
    errors.required(path, field);
    return;
  }
  const messages = dns1123SubdomainErrors(value);
  if (messages.length > 0) errors.invalid(path, field, value, messages.join(','));
  else if (value.split('.').length < 3) {
    const detail = 'should be a domain with at least three segments separated by dots';
    errors.invalid(path, field, value, detail);
  }
}

/** A domain of two segments or more, with or without the last dot: addresses of type FQDN. */
export function checkFqdn(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  value: string,
): void {
  if (value === '') {
    errors.required(path, field);
    return;
  }
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  const messages = dns1123SubdomainErrors(name);
  if (messages.length > 0) {
    errors.invalid(path, field, value, messages.join(','));
    return;
  }
  const parts = name.split('.');
  if (parts.length < 2) {
    const detail = 'should be a domain with at least two segments separated by dots';
    errors.invalid(path, field, value, detail);
    return;
  }
  for (const part of parts) {
    const partMessages = dns1123LabelErrors(part);
    if (partMessages.length > 0) errors.invalid(path, field, part, partMessages.join(','));
  }
}

const maxSignerBytes = 571;

/** `example.com/signer-name`. */
export function checkSignerName(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  value: string | undefined,
): void {
  if (value === undefined || value === '') {
    errors.required(path, field);
    return;
  }
  const [domain = '', name, ...more] = value.split('/');
  if (name === undefined || more.length > 0) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    errors.invalid(path, field, value, detail);
    return;
  }
  if (exceedsBytes(domain, 253)) errors.tooLong(path, field, 253);
  const parts = domain.split('.');
  checkParts(errors, path, field, domain, dns1123LabelErrors);
  if (parts.length < 2) {
    const detail = 'should be a domain with at least two segments separated by dots';
    errors.invalid(path, field, domain, detail);
  }
  checkParts(errors, path, field, name, dns1123SubdomainErrors);
  if (exceedsBytes(value, maxSignerBytes)) errors.tooLong(path, field, maxSignerBytes);
}

/** Reports the first part between dots that is wrong. */
function checkParts(
  errors: ErrorList,
  path: FieldPath,
  field: string,
  text: string,
  format: (part: string) => readonly string[],
): void {
  for (const part of text.split('.')) {
    const messages = format(part);
    for (const message of messages) {
      errors.invalid(path, field, text, `validating label "${part}": ${message}`);
    }
    if (messages.length > 0) return;
  }
}
