import { encodeProtobuf, protobufMediaType } from '#schema/protobuf/mod.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { notAcceptable } from '../api-errors.ts';
import type { AnswerForm } from '../negotiate.ts';
import { acceptedTypes } from '../negotiate.ts';

export const contentTypes = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: protobufMediaType,
} as const;

/** As Go's library writes it: readers of YAML 1.1 must find strings where strings are. */
const yamlStyle = {
  version: '1.1',
  sortMapEntries: true,
  indentSeq: false,
  lineWidth: 0,
  aliasDuplicateObjects: false,
} as const;

/** A value as the client wants to read it; NotAcceptable for kinds that have no protobuf form. */
export function encodeValue(value: unknown, form: AnswerForm, isPretty: boolean): Buffer {
  if (form.media === 'protobuf') {
    const bytes = encodeProtobuf(value as object);
    if (bytes === undefined) throw notAcceptable(acceptedTypes.slice(0, 2));
    return bytes;
  }
  if (form.media === 'yaml') return Buffer.from(yamlLibrary().stringify(value, yamlStyle));
  if (isPretty) return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  return Buffer.from(JSON.stringify(value));
}
