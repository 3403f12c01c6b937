import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomResourceDefinition } from '#schema/types.ts';
import { definitionErrors } from './definition-errors.ts';

const at = 'spec.validation.openAPIV3Schema.properties[a].default';

/** What is wrong with a definition of objects that have a field like this. */
function errorsOf(field: object): string[] {
  const openAPIV3Schema = { type: 'object', properties: { a: field } };
  const definition = {
    metadata: { name: 'things.example.com' },
    spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema } }] },
  } as unknown as CustomResourceDefinition;
  return definitionErrors(definition, undefined).map(
    ({ field: path, message }) => `${path.replace(at, '@')}: ${message}`,
  );
}

const rules = (rule: string): object => ({ 'x-kubernetes-validations': [{ rule }] });
const embedded = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
};

const cases: ReadonlyArray<readonly [why: string, field: object, ...errors: string[]]> = [
  [
    'of another type',
    { type: 'string', default: 1 },
    '@: Invalid value: "integer":  in body must be of type string: "integer"',
  ],
  [
    'with unknown fields',
    { type: 'object', properties: { b: { type: 'string' } }, default: { c: 1 } },
    '@: Invalid value: {"c":1}: must not have unknown fields',
  ],
  [
    'without what is required',
    { type: 'object', required: ['b'], properties: { b: { type: 'string' } }, default: {} },
    '@.b: Required value',
  ],
  [
    'against a rule',
    { type: 'string', default: 'x', ...rules("self == 'y'") },
    `@: Invalid value: "x": failed rule: self == 'y'`,
  ],
  [
    'against a rule further down',
    {
      type: 'object',
      properties: { b: { type: 'integer', ...rules('self > 1') } },
      default: { b: 1 },
    },
    '@.b: Invalid value: 1: failed rule: self > 1',
  ],
  [
    'that would change if it were compared with another',
    { type: 'integer', default: 1, ...rules('self == oldSelf') },
  ],
  [
    'as a resource without a kind',
    { ...embedded, default: { apiVersion: 'v1' } },
    '@.kind: Required value',
  ],
  [
    'as a resource with metadata of the wrong type',
    { ...embedded, default: { apiVersion: 'v1', kind: 'A', metadata: 1 } },
    '@.metadata: Invalid value: 1: json: cannot unmarshal number into Go value of type v1.ObjectMeta',
  ],
];

for (const [why, field, ...errors] of cases) {
  test(`a default ${why}: ${errors.length === 0 ? 'taken' : 'refused'}`, () => {
    assert.deepEqual(errorsOf(field), errors);
  });
}
