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
      if (name === 'reserved-memory') return readReservations(text);
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

/** `0:memory=1Gi,hugepages-2Mi=64Mi;1:memory=512Mi`. */
function readReservations(text: string): { [key: string]: JsonValue }[] {
  return text.split(';').map((part) => {
    const [node = '', amounts, ...more] = part.split(':');
    if (amounts === undefined || more.length > 0) {
      throw new Error(
        `the reserved memory has incorrect format, expected numaNodeID:type=quantity[,type=quantity...], got ${part}`,
      );
    }
    if (!/^\d+$/.test(node)) {
      throw new Error(`failed to convert the NUMA node ID, exptected integer, got ${node}`);
    }
    const limits = amounts.split(',').map((pair): [string, string] => {
      const [type = '', amount, ...rest] = pair.split('=');
      if (amount === undefined || rest.length > 0) {
        throw new Error(
          `the reserved limit has incorrect value, expected type=quantatity, got ${pair}`,
        );
      }
      if (type !== 'memory' && !type.startsWith('hugepages-')) {
        throw new Error(`memory type conversion error, unknown type: "${type}"`);
      }
      return [type, amount];
    });
    return { numaNode: Number(node), limits: Object.fromEntries(limits) };
  });
}

/** What is wrong with a flag, as the kubelet prints it. */
export function flagProblem(name: string, text: string, error: unknown): string {
  return `invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${messageOf(error)}`;
}
