import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noValue } from './bad-value.ts';
import { ErrorList } from './error-list.ts';
import { specPath } from './field-path.ts';

test('errors carry type, field and message', () => {
  const errors = new ErrorList();
  errors.invalid(specPath, 'a.b', 'x', 'is bad');
  errors.invalid(specPath, 3, noValue, 'is worse');
  errors.notSupported(specPath.key('k'), '', 7, ['1', '2']);
  errors.tooMany(specPath, 'list', 9, 8);
  assert.deepEqual(errors.errors, [
    { type: 'FieldValueInvalid', field: 'spec.a.b', message: 'Invalid value: "x": is bad' },
    { type: 'FieldValueInvalid', field: 'spec[3]', message: 'Invalid value: is worse' },
    {
      type: 'FieldValueNotSupported',
      field: 'spec[k]',
      message: 'Unsupported value: 7: supported values: "1", "2"',
    },
    {
      type: 'FieldValueTooMany',
      field: 'spec.list',
      message: 'Too many: 9: must have at most 8 items',
    },
  ]);
});

test('what nobody can read is left out', () => {
  const many = new ErrorList();
  for (let index = 0; index < 2000; index++) many.required(specPath, index);
  assert.equal(many.count, 1000);
  const long = new ErrorList();
  for (let index = 0; index < 9; index++) long.invalid(specPath, '', 'x'.repeat(300_000), 'bad');
  assert.equal(long.count, 4);
  assert.equal(long.isFull, true);
});
