import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { Conformed, FieldValidation } from './conform.ts';
import { conform } from './conform.ts';
import { jsonWord } from './go-types.ts';
import { countKeys, countKeysInText, inspectJson, nestsTooDeep } from './json-text.ts';
import { mayHoldOddNumbers, parseWithOddNumbers, plainNumbers } from './odd-number.ts';
import { readYaml } from './yaml-text.ts';

export interface DecodeOptions {
  readonly body: Uint8Array;
  readonly mediaType: 'json' | 'yaml';
  /** OpenAPI name of the expected type; undefined leaves fields unchecked (custom resources). */
  readonly typeName: string | undefined;
  readonly mode: FieldValidation;
  /** Kind for errors when no type is known. */
  readonly kind?: string | undefined;
}

/**
 * Parses the body of a request and checks it against its type as `conform` does. The object is
 * fresh: the caller owns it. Throws an ApiStatusError BadRequest with upstream's text.
 */
export function decodeBody<T extends object>(options: DecodeOptions): Conformed<T> {
  const { body, typeName, mode } = options;
  let parsed: Parsed;
  try {
    parsed = options.mediaType === 'json' ? parseJson(body, mode) : parseYaml(body);
    // null leaves Go's struct as it is: empty
    parsed.value ??= {};
    requireObject(parsed.value);
    requireNames(parsed.value);
  } catch (error) {
    throw unrecognized(options, error);
  }
  const { value, duplicates, text = '' } = parsed;
  const isOdd = typeName !== undefined && mayHoldOddNumbers(text);
  const odd = isOdd && options.mediaType === 'json' ? parseWithOddNumbers(text) : undefined;
  if (odd === undefined) return conform(value as T, typeName, mode, duplicates);
  const conformed = conform(odd as T, typeName, mode, duplicates);
  return { ...conformed, object: plainNumbers(conformed.object) as T };
}

export interface Parsed {
  value: unknown;
  duplicates: readonly string[];
  /** Of JSON: what was parsed. */
  text?: string;
}

/** A byte order mark is no JSON to Go either. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const surrogateEscape = /\\u[dD][89a-fA-F]/;
const noDuplicates: readonly string[] = [];

/**
 * Parses JSON and finds the fields that are given twice, unless nobody asks (`Ignore`). Throws a
 * K3tsError JsonSyntax in the words of upstream's parser.
 */
export function parseJson(body: Uint8Array, mode: FieldValidation): Parsed {
  if (nestsTooDeep(body, 'json')) throw new K3tsError('JsonSyntax', 'exceeded max depth');
  const text = utf8.decode(body);
  let value: unknown;
  try {
    value = JSON.parse(text, surrogateEscape.test(text) ? wellFormed : undefined);
  } catch (error) {
    inspectJson(text);
    throw new K3tsError('JsonSyntax', messageOf(error), { cause: error });
  }
  if (mode === 'Ignore' || countKeysInText(body) === countKeys(value)) {
    return { value, duplicates: noDuplicates, text };
  }
  return { value, duplicates: inspectJson(text).duplicates, text };
}

/** Halves of a surrogate pair become what Go makes of them. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed() : value;
}

/** Go reads kind and version first, on their own. */
function requireNames(value: unknown): void {
  const fields = value as Record<string, unknown>;
  for (const name of ['apiVersion', 'kind']) {
    const given = fields[name];
    if (given === undefined || given === null || typeof given === 'string') continue;
    throw new K3tsError(
      'JsonSyntax',
      `json: cannot unmarshal ${jsonWord(given)} into Go struct field .${name} of type string`,
    );
  }
}

function parseYaml(body: Uint8Array): Parsed {
  const text = utf8.decode(body);
  // JSON is YAML: the quick parser first, and the slow one only for what really is YAML
  if (/^\s*\{/.test(text)) {
    try {
      return parseJson(body, 'Strict');
    } catch {
      return readYaml(text);
    }
  }
  return readYaml(text);
}

function requireObject(value: unknown): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  const goType =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  throw new K3tsError(
    'JsonSyntax',
    `json: cannot unmarshal ${jsonWord(value)} into Go value of type ${goType}`,
  );
}

function unrecognized(options: DecodeOptions, error: unknown): ApiStatusError {
  const kind = options.kind ?? typeTable.type(options.typeName ?? '')?.kind ?? 'Unstructured';
  const isYaml = error instanceof K3tsError && error.code === 'YamlSyntax';
  const reason = isYaml
    ? messageOf(error)
    : `couldn't get version/kind; json parse error: ${messageOf(error)}`;
  return new ApiStatusError({
    httpCode: 400,
    reason: 'BadRequest',
    message: `the object provided is unrecognized (must be of type ${kind}): ${reason} (${summarize(options.body)})`,
    cause: error,
  });
}

/** The start of a body for an error: as text when it looks like JSON, else in hexadecimal. */
function summarize(body: Uint8Array): string {
  if (body.length === 0) return '<empty>';
  const start = Buffer.from(body.subarray(0, 30));
  const text = start[0] === 0x7b ? start.toString('utf8') : start.toString('hex');
  return body.length > 30 ? `${text} ...` : text;
}
