const namePattern = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const subdomainPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const valuePattern = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const nameRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const valueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function isTooLong(text: string, maxBytes: number): boolean {
  return text.length > maxBytes || Buffer.byteLength(text) > maxBytes;
}

/** What is wrong with a label key (a qualified name), in the texts of upstream; empty when valid. */
export function labelKeyErrors(key: string): string[] {
  if (key.length <= 63 && namePattern.test(key)) return [];
  const parts = key.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${nameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const errors: string[] = [];
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === '') errors.push('prefix part must be non-empty');
  else if (prefix !== undefined) {
    if (isTooLong(prefix, 253)) errors.push('prefix part must be no more than 253 characters');
    if (!subdomainPattern.test(prefix)) errors.push(`prefix part ${subdomainRule}`);
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (isTooLong(name, 63)) errors.push('name part must be no more than 63 characters');
  if (!namePattern.test(name)) errors.push(`name part ${nameRule}`);
  return errors;
}

/** What is wrong with a label value; empty when valid. */
export function labelValueErrors(value: string): string[] {
  const errors: string[] = [];
  if (isTooLong(value, 63)) errors.push('must be no more than 63 characters');
  if (!valuePattern.test(value)) errors.push(valueRule);
  return errors;
}
