/** Data read by declared types: conversion, escaped names, sets and maps, what breaks its type. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCelEnvironment } from './environment.ts';
import { resultOf } from './fake-cel.ts';
import type { CelType } from './types.ts';

const string: CelType = { kind: 'string' };
const entry: CelType = {
  kind: 'object',
  name: 'Entry',
  fields: new Map([
    ['key-1', { type: string }],
    ['value', { type: { kind: 'int' } }],
  ]),
};
const self: CelType = {
  kind: 'object',
  name: 'Spec',
  fields: new Map<string, { type: CelType }>([
    ['int', { type: { kind: 'int' } }],
    ['double', { type: { kind: 'double' } }],
    ['when', { type: { kind: 'timestamp' } }],
    ['for', { type: { kind: 'duration' } }],
    ['data', { type: { kind: 'bytes' } }],
    ['any', { type: { kind: 'dyn' } }],
    ['a.b-c/d', { type: string }],
    ['text', { type: string }],
    ['set', { type: { kind: 'list', element: string, listType: 'set' } }],
    ['map', { type: { kind: 'list', element: entry, listType: 'map', mapKeys: ['key-1'] } }],
    ['plain', { type: { kind: 'list', element: string } }],
    ['labels', { type: { kind: 'map', key: string, value: string } }],
    ['maybe', { type: { kind: 'optional', of: string } }],
  ]),
};
const data = {
  int: 3,
  double: 3,
  when: '2024-02-29T12:00:00Z',
  for: '1h',
  data: 'aGk=',
  any: { big: 2 ** 60, half: 0.5, none: null },
  'a.b-c/d': 'escaped',
  set: ['a', 'b'],
  map: [
    { 'key-1': 'x', value: 1 },
    { 'key-1': 'y', value: 2 },
  ],
  plain: ['a', 'b'],
  labels: { 'app.kubernetes.io/name': 'n' },
};

function run(expression: string, values: object = data): unknown {
  return resultOf(expression, { self: values }, { variables: { self } });
}

test('fields have the types that are declared, not those of JSON', () => {
  assert.equal(run('type(self.double) == double && self.double / 2.0 == 1.5'), true);
  assert.equal(run("self.when + self.__for__ == timestamp('2024-02-29T13:00:00Z')"), true);
  assert.equal(run("string(self.data) == 'hi'"), true);
  assert.equal(run('type(self.any.big) == int && type(self.any.half) == double'), true);
  assert.equal(run('self.any.big'), 2n ** 60n);
  assert.equal(run('self.a__dot__b__dash__c__slash__d'), 'escaped');
  assert.equal(run("self.labels['app.kubernetes.io/name']"), 'n');
});

test('absent fields are told by has() and are errors otherwise', () => {
  assert.equal(run('has(self.text)'), false);
  assert.equal(run('self.text == ""'), '!no such key: text');
  assert.equal(run('self.?text.orValue("none")'), 'none');
});

test('sets and maps compare without order, plain lists with it', () => {
  assert.equal(run("self.set == ['b', 'a']"), true);
  assert.equal(run("self.set == ['b', 'c']"), false);
  assert.equal(run("self.plain == ['b', 'a']"), false);
  assert.equal(run('self.map == [self.map[1], self.map[0]]'), true);
  assert.equal(run('self.map == [self.map[0], self.map[0]]'), false);
});

test('adding to a set or map makes the union', () => {
  assert.deepEqual(run("self.set + ['b', 'c']"), ['a', 'b', 'c']);
  assert.deepEqual(run("self.plain + ['b', 'c']"), ['a', 'b', 'b', 'c']);
  assert.deepEqual(run('(self.map + [self.map[1]]).size()'), 2);
});

test('data that break their declaration are errors of the language', () => {
  const broken = { text: null, int: 'x', set: 5, when: 'soon', map: [null] };
  assert.equal(
    run("self.text.startsWith('a')", broken),
    '!no such overload: startsWith(null_type, string)',
  );
  assert.equal(run('self.int + 1', broken), '!no such overload');
  assert.equal(run('self.set.size()', broken), '!no such overload: size(int)');
  assert.equal(run('self.set.all(x, true)', broken), "!got 'int', expected iterable type");
  assert.equal(run('self.when.getFullYear()', broken), '!Invalid date-time string: soon');
  assert.equal(run('self.map[0].value', broken), '!no such key: value');
});

test('a value of one program is a variable of another without losing its type', () => {
  const times = createCelEnvironment({ variables: {} }).compile('[timestamp(0), timestamp(60)]');
  const value = times.evaluateValue({}, { remaining: 1000 });
  const variables = { variables: { v: { kind: 'dyn' } } } as const;
  assert.equal(resultOf("v[1] - v[0] == duration('1m')", { v: value }, variables), true);
});

test('a program tells which variables it reads', () => {
  const variables: Record<string, CelType> = { self, oldSelf: self };
  const environment = createCelEnvironment({ variables });
  const names = (expression: string): string[] => [...environment.compile(expression).references];
  assert.deepEqual(names('self.int > 1'), ['self']);
  assert.deepEqual(names('self == oldSelf').sort(), ['oldSelf', 'self']);
  assert.deepEqual(names('1 > 2'), []);
  assert.deepEqual(names('[1].all(oldSelf, oldSelf > 0)'), []);
  assert.deepEqual(names('[1].all(self, .oldSelf == null)'), ['oldSelf']);
});
