import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  escapeFieldValue,
  labelSelectorFrom,
  parseFieldSelector,
  parseLabelSelector,
} from './mod.ts';

const labels = { app: 'web', tier: 'front', 'example.com/size': '7' };

test('a label selector matches as upstream does', () => {
  const cases: readonly [string, boolean][] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web , tier=front', true],
    ['app=api', false],
    ['app!=api', true],
    ['missing!=api', true],
    ['missing=', false],
    ['app in (api, web)', true],
    ['app in (api)', false],
    ['app notin (api)', true],
    ['missing notin (api)', true],
    ['app notin (web,api)', false],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['! missing,app', true],
    ['example.com/size>6', true],
    ['example.com/size<7', false],
    ['app>1', false],
    ['in in (in)', false],
    ['app=web,tier in (front,back),!missing,example.com/size', true],
    ['toString', false],
    ['constructor!=x', true],
  ];
  for (const [text, expected] of cases) {
    assert.equal(parseLabelSelector(text).matches(labels), expected, text);
  }
  assert.ok(parseLabelSelector('!app').matches(undefined));
});

test('an empty value is a value', () => {
  assert.ok(parseLabelSelector('a=').matches({ a: '' }));
  assert.ok(!parseLabelSelector('a=').matches({}));
  assert.ok(parseLabelSelector('a in (,b)').matches({ a: '' }));
  assert.ok(parseLabelSelector('a in (b,)').matches({ a: '' }));
});

test('a bad label selector is a bad request with the text of upstream', () => {
  const keyRule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
  const valueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  const cases: readonly [string, string][] = [
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    [
      'a in ()',
      `unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty`,
    ],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    [
      'a>b',
      `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ['-a=b', `unable to parse requirement: <nil>: Invalid value: "-a": ${keyRule}`],
    ['a=-b', `unable to parse requirement: values[0][a]: Invalid value: "-b": ${valueRule}`],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseLabelSelector(text),
      { reason: 'BadRequest', httpCode: 400, message },
      text,
    );
  }
});

test('a LabelSelector object selects nothing when absent and everything when empty', () => {
  assert.ok(!labelSelectorFrom(undefined).matches(labels));
  assert.ok(labelSelectorFrom({}).matches(labels));
  const selector = labelSelectorFrom({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'missing', operator: 'DoesNotExist' },
      { key: 'example.com/size', operator: 'Exists' },
      { key: 'app', operator: 'NotIn', values: ['api'] },
    ],
  });
  assert.ok(selector.matches(labels));
  assert.ok(!selector.matches({ ...labels, missing: '' }));
  assert.equal(
    selector.toString(),
    'app=web,app notin (api),example.com/size,!missing,tier in (back,front)',
  );
  assert.throws(() => labelSelectorFrom({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), {
    message: '"Like" is not a valid label selector operator',
  });
});

test('a selector survives being written and read', () => {
  const word = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
  const requirement = fc.oneof(
    fc.tuple(word, word).map(([key, value]) => `${key}=${value}`),
    fc.tuple(word, word).map(([key, value]) => `${key}!=${value}`),
    fc.tuple(word, fc.array(word, { minLength: 1 })).map(([k, v]) => `${k} in (${v.join(',')})`),
    word.map((key) => `!${key}`),
    word,
  );
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 4 }), (parts) => {
      const once = parseLabelSelector(parts.join(','));
      assert.deepEqual(parseLabelSelector(once.toString()).requirements, once.requirements);
    }),
  );
});

test('a field selector compares and reads absent fields as empty', () => {
  const fields = { 'metadata.name': 'a', 'spec.nodeName': '' };
  const cases: readonly [string, boolean][] = [
    ['', true],
    [',', true],
    ['metadata.name=a', true],
    ['metadata.name==a', true],
    ['metadata.name!=a', false],
    ['metadata.name=a,spec.nodeName!=', false],
    ['spec.nodeName=', true],
    ['missing=', true],
    ['missing!=x', true],
  ];
  for (const [text, expected] of cases) {
    assert.equal(parseFieldSelector(text).matches(fields), expected, text);
  }
  assert.equal(parseFieldSelector('spec.nodeName=n1,a!=b').exactValue('spec.nodeName'), 'n1');
  assert.equal(parseFieldSelector('spec.nodeName!=n1').exactValue('spec.nodeName'), undefined);
});

test('a bad field selector is a bad request with the text of upstream', () => {
  const cases: readonly [string, string][] = [
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b,c', "invalid selector: 'a=b,c'; can't understand 'c'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=b\\c', 'invalid field selector: invalid escape sequence: \\c'],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseFieldSelector(text), { reason: 'BadRequest', message }, text);
  }
});

test('any field value can be escaped', () => {
  fc.assert(
    fc.property(fc.string(), (value) => {
      const selector = parseFieldSelector(`a=${escapeFieldValue(value)}`);
      assert.ok(selector.matches({ a: value }));
      assert.deepEqual(parseFieldSelector(selector.toString()).requirements, selector.requirements);
    }),
  );
});
