import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import type { FieldKind, JsonValue } from './field.ts';

const trueTexts = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const falseTexts = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** The value of a flag as its field has it; throws a plain Error with the text of Go's parser. */
export function readFlagValue(name: string, kind: FieldKind, text: string): JsonValue {
  const quoted = JSON.stringify(text);
  switch (kind) {
    case 'boolean':
      if (!trueTexts.has(text) && !falseTexts.has(text)) {
        throw new Error(`strconv.ParseBool: parsing ${quoted}: invalid syntax`);
      }
      return trueTexts.has(text);
    case 'integer':
    case 'number':
      if (text.trim() === '' || !Number.isFinite(Number(text))) {
        throw new Error(`strconv.ParseInt: parsing ${quoted}: invalid syntax`);
      }
      return Number(text);
    case 'duration':
      parseDuration(text);
      return text;
    case 'text':
      return text;
    case 'texts':
      return text === '' ? [] : text.split(',');
    case 'map':
      return readMap(text, name.startsWith('eviction-') ? /[<=]/ : /=/);
    case 'objects':
      if (name === 'register-with-taints') return readTaints(text);
      break;
    case 'object':
      if (name === 'manifest-url-header') return readHeaders(text);
      break;
  }
  throw new Error('it can only be set in a configuration file');
}

function readMap(text: string, separator: RegExp): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.search(separator);
      if (at <= 0) throw new Error(`malformed pair, expect string=string: ${pair}`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/** `name:value`, several between commas. */
function readHeaders(text: string): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf(':');
    if (at <= 0) throw new Error(`malformed pair, expect string:string: ${pair}`);
    (headers[pair.slice(0, at)] ??= []).push(pair.slice(at + 1));
  }
  return headers;
}

function readTaints(text: string): { [key: string]: JsonValue }[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^([^=:\s]+)(?:=([^:\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(
        part,
      );
      if (match === null) throw new Error(`invalid taint spec: ${part}`);
      const [, key = '', value, effect = ''] = match;
      return value === undefined ? { key, effect } : { key, value, effect };
    });
}

/** What is wrong with a flag, as the kubelet prints it. */
export function flagProblem(name: string, text: string, error: unknown): string {
  return `invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${messageOf(error)}`;
}
