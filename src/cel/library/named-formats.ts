/** The named formats: what each accepts and what it says otherwise. */
import { messageOf } from '#base/errors.ts';
import { parseTimestamp } from '../values/time.ts';
import { parseRequestUri } from './go-url.ts';

export interface NamedFormat {
  readonly name: string;
  /** Stands for the size of its pattern in costs. */
  readonly maxRegexSize: number;
  /** Errors; none when the text is fine. */
  readonly validate: (text: string) => string[];
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualified})?`;

const labelText = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const subdomainText = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const label1035Text = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${label1035}')`;
const qualifiedText = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`;
const labelValueText = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${labelValue}')`;

function tooLong(size: number): string {
  return `must be no more than ${size} characters`;
}

/** None of the patterns can backtrack far on texts within `size`; longer ones are not tried. */
function matcher(pattern: string, size: number, text: string): (value: string) => string[] {
  const regex = new RegExp(`^${pattern}$`);
  return (value) => {
    if (value.length > size) return [tooLong(size), ...(quickTest(value, pattern) ? [] : [text])];
    return regex.test(value) ? [] : [text];
  };
}

/** For long texts: the characters alone, in one pass. */
function quickTest(value: string, pattern: string): boolean {
  if (pattern === subdomain) {
    return value.split('.').every((part) => /^[a-z0-9-]+$/.test(part) && !/^-|-$/.test(part));
  }
  if (pattern === label1035) return /^[a-z][a-z0-9-]*$/.test(value) && !value.endsWith('-');
  if (pattern === label) return /^[a-z0-9-]+$/.test(value) && !/^-|-$/.test(value);
  return /^[A-Za-z0-9._-]+$/.test(value) && !/^[._-]|[._-]$/.test(value);
}

/** A prefix of a name may end in a dash, which stands for what the server adds. */
function prefix(validate: (text: string) => string[]): (text: string) => string[] {
  return (text) => validate(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -1)}a` : text);
}

const isLabel = matcher(label, 63, labelText);
const isSubdomain = matcher(subdomain, 253, subdomainText);
const isLabel1035 = matcher(label1035, 63, label1035Text);
const isQualifiedPart = matcher(qualified, 63, qualifiedText);

function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  const errors: string[] = [];
  let name = parts[0] ?? '';
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedText} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (parts.length === 2) {
    name = parts[1] ?? '';
    if (parts[0] === '') errors.push('prefix part must be non-empty');
    else errors.push(...isSubdomain(parts[0] ?? '').map((error) => `prefix part ${error}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  if (name === '' || !isPartText(name)) errors.push(`name part ${qualifiedText}`);
  if (name.length > 63) errors.splice(errors.length - 1, 0, `name part ${tooLong(63)}`);
  return errors;
}

function isPartText(name: string): boolean {
  return name.length > 63 ? quickTest(name, qualified) : isQualifiedPart(name).length === 0;
}

function uri(text: string): string[] {
  try {
    parseRequestUri(text);
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function rule(test: (text: string) => boolean, error: string): (text: string) => string[] {
  return (text) => (test(text) ? [] : [error]);
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined;
}

/** Sizes of the patterns that upstream's implementations use. */
const sizes = { url: 791, uuid: 67, base64: 100, dateTime: 112 };

export const namedFormats: Readonly<Record<string, NamedFormat>> = {
  dns1123Label: { name: 'DNS1123Label', maxRegexSize: 30, validate: isLabel },
  dns1123Subdomain: { name: 'DNS1123Subdomain', maxRegexSize: 60, validate: isSubdomain },
  dns1035Label: { name: 'DNS1035Label', maxRegexSize: 30, validate: isLabel1035 },
  qualifiedName: { name: 'QualifiedName', maxRegexSize: 60, validate: qualifiedName },
  dns1123LabelPrefix: { name: 'DNS1123LabelPrefix', maxRegexSize: 30, validate: prefix(isLabel) },
  dns1123SubdomainPrefix: {
    name: 'DNS1123SubdomainPrefix',
    maxRegexSize: 60,
    validate: prefix(isSubdomain),
  },
  dns1035LabelPrefix: {
    name: 'DNS1035LabelPrefix',
    maxRegexSize: 30,
    validate: prefix(isLabel1035),
  },
  labelValue: {
    name: 'LabelValue',
    maxRegexSize: 40,
    validate: matcher(labelValue, 63, labelValueText),
  },
  uri: { name: 'URI', maxRegexSize: sizes.url, validate: uri },
  uuid: {
    name: 'uuid',
    maxRegexSize: sizes.uuid,
    validate: rule((text) => uuid.test(text), 'does not match the UUID format'),
  },
  byte: { name: 'byte', maxRegexSize: sizes.base64, validate: rule(isBase64, 'invalid base64') },
  date: { name: 'date', maxRegexSize: sizes.dateTime, validate: rule(isDate, 'invalid date') },
  datetime: {
    name: 'datetime',
    maxRegexSize: sizes.dateTime,
    validate: rule((text) => parseTimestamp(text) !== undefined, 'invalid datetime'),
  },
};
