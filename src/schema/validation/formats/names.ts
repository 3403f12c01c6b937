/** Formats of names. A format returns one message for each failed check, in upstream's words. */
const dns1123Label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const searchPath = /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const wildcardHost = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const cIdentifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const envVarName = /^[ -<>-~]+$/;
const configMapKey = /^[-._a-zA-Z0-9]+$/;
const headerName = /^[-A-Za-z0-9]+$/;
const conditionReason = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/;

const subdomainRegex = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*';

const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomainRegex}')`;
const searchPathText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
const dns1035Text =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const wildcardText = `a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.${subdomainRegex}')`;
const cIdentifierText =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const configMapKeyText =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const headerText =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const conditionReasonText =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

const none: readonly string[] = [];

/** All patterns are of ASCII, so that for a text that matches, characters are bytes. */
function matchErrors(
  text: string,
  pattern: RegExp,
  maxBytes: number,
  message: string,
): readonly string[] {
  const matches = pattern.test(text);
  if (matches && text.length <= maxBytes) return none;
  const errors: string[] = [];
  if (Buffer.byteLength(text) > maxBytes) errors.push(maxLengthText(maxBytes));
  if (!matches) errors.push(message);
  return errors;
}

export function maxLengthText(max: number): string {
  return `must be no more than ${max} characters`;
}

export function dns1123LabelErrors(text: string): readonly string[] {
  if (text.length <= 63 && dns1123Label.test(text)) return none;
  const message = dns1123Subdomain.test(text) ? 'must not contain dots' : labelText;
  return matchErrors(text, dns1123Label, 63, message);
}

export function dns1123SubdomainErrors(text: string): readonly string[] {
  return matchErrors(text, dns1123Subdomain, 253, subdomainText);
}

export function isDns1123Subdomain(text: string): boolean {
  return text.length <= 253 && dns1123Subdomain.test(text);
}

/** An entry of a DNS search path: a subdomain whose labels may have underscores. */
export function searchPathErrors(text: string): readonly string[] {
  return matchErrors(text, searchPath, 253, searchPathText);
}

export function dns1035LabelErrors(text: string): readonly string[] {
  return matchErrors(text, dns1035Label, 63, dns1035Text);
}

export function wildcardHostErrors(text: string): readonly string[] {
  return matchErrors(text, wildcardHost, 253, wildcardText);
}

export function cIdentifierErrors(text: string): readonly string[] {
  return cIdentifier.test(text) ? none : [cIdentifierText];
}

export function headerNameErrors(text: string): readonly string[] {
  return headerName.test(text) ? none : [headerText];
}

export function conditionReasonErrors(text: string): readonly string[] {
  return conditionReason.test(text) ? none : [conditionReasonText];
}

export function envVarNameErrors(text: string): readonly string[] {
  if (envVarName.test(text)) return none;
  if (text === '') return ['environment variable name must be non-empty'];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

/** Keys of config maps and secrets, which become file names. */
export function configMapKeyErrors(text: string): readonly string[] {
  if (text.length <= 253 && configMapKey.test(text) && !text.startsWith('.')) return none;
  const errors = [...matchErrors(text, configMapKey, 253, configMapKeyText)];
  if (text === '.') errors.push("must not be '.'");
  else if (text === '..') errors.push("must not be '..'");
  else if (text.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

/** Names that only have to fit into one segment of a URL path; the empty text passes. */
export function pathSegmentErrors(text: string): readonly string[] {
  if (text === '.') return ["may not be '.'"];
  if (text === '..') return ["may not be '..'"];
  if (!text.includes('/') && !text.includes('%')) return none;
  const errors: string[] = [];
  if (text.includes('/')) errors.push("may not contain '/'");
  if (text.includes('%')) errors.push("may not contain '%'");
  return errors;
}

/** A name that something is appended to: it may end in a dash. */
export function asPrefix(
  format: (text: string) => readonly string[],
): (text: string) => readonly string[] {
  return (text) => format(maskTrailingDash(text));
}

export function maskTrailingDash(text: string): string {
  return text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text;
}
