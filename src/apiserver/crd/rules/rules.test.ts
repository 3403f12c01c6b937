import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { UnknownObject } from '#schema/mod.ts';
import type { RawSchema } from '#schema/structural/mod.ts';
import { parseStructural, rootOfObject } from '#schema/structural/mod.ts';
import { checkDefinitionRules, createRuleChecker } from './mod.ts';

const integer = { type: 'integer' };
const withRules = (...rules: object[]): RawSchema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: { min: integer, max: integer, name: { type: 'string', maxLength: 10 } },
      'x-kubernetes-validations': rules,
    },
  },
});

function check(
  schema: RawSchema,
  spec: object,
  old?: object,
): { errors: string[]; warnings: string[] } {
  const object = (value: object): UnknownObject => ({ metadata: { name: 'a' }, spec: value });
  const checker = createRuleChecker(parseStructural(schema));
  const { errors, warnings } = checker.check(
    object(spec),
    old === undefined ? undefined : object(old),
  );
  return {
    errors: errors.map(({ type, field, message }) => `${type} ${field}: ${message}`),
    warnings: [...warnings],
  };
}

describe('rules of custom resources', () => {
  it('say their message, an expression, or themselves', () => {
    const plain = withRules({ rule: 'self.min <= self.max' });
    assert.deepEqual(check(plain, { min: 2, max: 1 }).errors, [
      'FieldValueInvalid spec: Invalid value: failed rule: self.min <= self.max',
    ]);
    const worded = withRules({
      rule: 'self.min <= self.max',
      message: 'min over max',
      fieldPath: '.min',
    });
    assert.deepEqual(check(worded, { min: 2, max: 1 }).errors, [
      'FieldValueInvalid spec.min: Invalid value: min over max',
    ]);
    const counted = withRules({
      rule: 'self.max < 5',
      messageExpression: "'max is ' + string(self.max)",
      reason: 'FieldValueForbidden',
    });
    assert.deepEqual(check(counted, { max: 7 }).errors, [
      'FieldValueForbidden spec: Forbidden: max is 7',
    ]);
  });

  it('tell what failed while they ran', () => {
    const schema = withRules({ rule: 'self.min <= self.max' });
    assert.deepEqual(check(schema, { max: 1 }).errors, [
      'FieldValueInvalid spec: Invalid value: no such key: min evaluating rule: self.min <= self.max',
    ]);
  });

  it('about changes run on changes only', () => {
    const schema = withRules({ rule: 'self.max >= oldSelf.max', message: 'shrinks' });
    assert.deepEqual(check(schema, { max: 1 }).errors, []);
    assert.deepEqual(check(schema, { max: 1 }, { max: 2 }).errors, [
      'FieldValueInvalid spec: Invalid value: shrinks',
    ]);
  });

  it('with an optional oldSelf run on creation too', () => {
    const schema = withRules({
      rule: 'oldSelf.hasValue() || self.min == 0',
      optionalOldSelf: true,
      message: 'starts at 0',
    });
    assert.equal(check(schema, { min: 1 }).errors.length, 1);
    assert.equal(check(schema, { min: 1 }, { min: 0 }).errors.length, 0);
  });

  it('only warn about what did not change', () => {
    const schema = withRules({ rule: 'self.min <= self.max', message: 'min over max' });
    const wrong = { min: 2, max: 1 };
    assert.deepEqual(check(schema, wrong, wrong), {
      errors: [],
      warnings: ['spec: Invalid value: min over max'],
    });
    assert.equal(check(schema, { ...wrong, name: 'x' }, wrong).errors.length, 1);
  });

  it('end with their budget', () => {
    const numbers = { type: 'array', items: integer };
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { l: numbers },
          'x-kubernetes-validations': [
            { rule: 'self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))' },
          ],
        },
      },
    };
    const { errors } = check(schema, { l: Array.from({ length: 200 }, (_, i) => i) });
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /call cost exceeds limit|running out of cost budget/);
  });
});

describe('rules of definitions', () => {
  const problems = (schema: RawSchema): string[] =>
    checkDefinitionRules(parseStructural(schema), rootOfObject.child('s')).map(
      ({ type, field, message }) => `${type} ${field}: ${message}`,
    );

  it('compile to a bool', () => {
    assert.deepEqual(problems(withRules({ rule: 'self.min <= self.max' })), []);
    const [syntax] = problems(withRules({ rule: 'self.nope == 1' }));
    assert.match(
      syntax ?? '',
      /^FieldValueInvalid s\.properties\[spec\]\.x-kubernetes-validations\[0\]\.rule: Invalid value: \{"Rule":"self\.nope == 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null\}: compilation failed: ERROR: <input>:1:5: undefined field 'nope'/,
    );
    assert.match(problems(withRules({ rule: 'self.min' }))[0] ?? '', /must evaluate to a bool$/);
    const number = withRules({ rule: 'true', messageExpression: 'self.min' });
    assert.match(problems(number)[0] ?? '', /messageExpression must evaluate to a string$/);
    const open = { 'x-kubernetes-int-or-string': true };
    const properties = { v: { ...open, 'x-kubernetes-validations': [{ rule: 'self' }] } };
    assert.match(problems({ type: 'object', properties })[0] ?? '', /must evaluate to a bool$/);
  });

  it('do not compare parts of what is a whole', () => {
    const rule = { rule: 'self >= oldSelf' };
    const whole = {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      properties: { n: { ...integer, 'x-kubernetes-validations': [rule] } },
    };
    assert.match(
      problems({ type: 'object', properties: { w: whole } })[0] ?? '',
      /oldSelf cannot be used on the uncorrelatable portion of the schema within s\.properties\[w\]$/,
    );
    const optional = { rule: '!oldSelf.hasValue()', optionalOldSelf: true };
    const seen = {
      ...whole,
      properties: { n: { ...integer, 'x-kubernetes-validations': [optional] } },
    };
    const schema = { type: 'object', properties: { w: seen } };
    const object = { metadata: { name: 'a' }, w: { n: 1 } } as unknown as UnknownObject;
    const found = createRuleChecker(parseStructural(schema)).check(object, object);
    assert.deepEqual([found.errors, found.warnings], [[], []]);
  });

  it('need a type to be about', () => {
    const v = {
      'x-kubernetes-preserve-unknown-fields': true,
      'x-kubernetes-validations': [{ rule: 'true' }],
    };
    assert.deepEqual(problems({ type: 'object', properties: { v } }), [
      'InternalError s.properties[v].x-kubernetes-validations: Internal error: internal error: failed to retrieve type information for x-kubernetes-validations',
    ]);
  });

  it('are told from others when all together are too dear', () => {
    const list = {
      type: 'array',
      maxItems: 290,
      items: { type: 'string', maxLength: 900 },
      'x-kubernetes-validations': [{ rule: 'self.all(x, self.exists(y, x == y))' }],
    };
    const cheap = { ...integer, 'x-kubernetes-validations': [{ rule: 'self > 1' }] };
    const lists = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`f${i}`, list]));
    const found = problems({ type: 'object', properties: { cheap, ...lists } });
    assert.equal(found.length, 5);
    for (const line of found.slice(0, 4)) {
      assert.match(
        line,
        /^FieldValueForbidden s\.properties\[f\d+\]\.x-kubernetes-validations\[0\]\.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema$/,
      );
    }
    assert.match(
      found[4] ?? '',
      /^FieldValueForbidden s: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of 1\.\d{6}x \(try simplifying/,
    );
  });

  it('are bounded in cost by the sizes that the schema declares', () => {
    const list = (more: object): RawSchema => ({
      type: 'object',
      properties: {
        l: {
          type: 'array',
          ...more,
          items: {
            type: 'string',
            ...more,
            'x-kubernetes-validations': [{ rule: "self.matches('a+')" }],
          },
        },
      },
    });
    assert.match(
      problems(list({}))[0] ?? '',
      /estimated rule cost exceeds budget by factor of more than 100x/,
    );
    assert.deepEqual(problems(list({ maxItems: 10, maxLength: 10 })), []);
  });

  it('do not compare items that cannot be told apart', () => {
    const schema = {
      type: 'object',
      properties: {
        l: {
          type: 'array',
          maxItems: 5,
          items: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] },
        },
      },
    };
    assert.match(
      problems(schema)[0] ?? '',
      /oldSelf cannot be used on the uncorrelatable portion of the schema within s\.properties\[l\]$/,
    );
    assert.match(
      problems(withRules({ rule: 'true', optionalOldSelf: true }))[0] ?? '',
      /may not be set if oldSelf is not used in rule$/,
    );
  });
});
