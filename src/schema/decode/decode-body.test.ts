import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, json, nat, property, string } from 'fast-check';
import { decodeBody } from './decode-body.ts';
import { countKeys, countKeysInText, inspectJson } from './json-text.ts';
import { readYaml, resolvePlain } from './yaml-text.ts';

const configMap = 'io.k8s.api.core.v1.ConfigMap';

function decode(text: string, mode: 'Ignore' | 'Warn' | 'Strict', mediaType: 'json' | 'yaml') {
  return decodeBody<Record<string, unknown>>({
    body: Buffer.from(text),
    mediaType,
    typeName: configMap,
    mode,
  });
}

test('finds duplicate fields in JSON', () => {
  const text =
    '{"kind":"ConfigMap","apiVersion":"v1","data":{"a":"1","b":"2","a":"3"},"data":{"a":"4"}}';
  assert.deepEqual(decode(text, 'Warn', 'json').warnings, [
    'duplicate field "data.a"',
    'duplicate field "data"',
  ]);
  assert.deepEqual(decode(text, 'Ignore', 'json').object['data'], { a: '4' });
  assert.throws(() => decode(text, 'Strict', 'json'), {
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ' +
      'duplicate field "data.a", duplicate field "data"',
  });
});

test('colons and quotes inside strings are no keys', () => {
  const value = { data: { a: '"b": {"c": 1}', 'd:\\': ':' } };
  const text = JSON.stringify(value);
  assert.equal(countKeysInText(Buffer.from(text)), countKeys(value));
});

test('the two ways of counting keys agree on any JSON', () => {
  check(
    property(json(), (text) => {
      const value: unknown = JSON.parse(text);
      const duplicates = inspectJson(text).duplicates.length;
      if (duplicates === 0) assert.equal(countKeysInText(Buffer.from(text)), countKeys(value));
    }),
    { numRuns: 300 },
  );
});

const syntaxErrors: ReadonlyArray<readonly [text: string, reason: string]> = [
  ['', 'unexpected end of JSON input (<empty>)'],
  ['{', 'unexpected end of JSON input ({)'],
  ['hello', "invalid character 'h' looking for beginning of value (68656c6c6f)"],
  ['{"a":1,}', 'invalid character \'}\' looking for beginning of object key string ({"a":1,})'],
  ['{"a" 1}', 'invalid character \'1\' after object key ({"a" 1})'],
  ['{"a":1 2}', 'invalid character \'2\' after object key:value pair ({"a":1 2})'],
  ['{"a":[1 2]}', 'invalid character \'2\' after array element ({"a":[1 2]})'],
  ['{"a":tru}', "invalid character '}' in literal true (expecting 'e') ({\"a\":tru})"],
  ['{} x', "invalid character 'x' after top-level value ({} x)"],
  ['{"a":"\0"}', 'invalid character \'\\x00\' in string literal ({"a":"\0"})'],
  ['{"a":"\n"}', 'invalid character \'\\n\' in string literal ({"a":"\n"})'],
  ['{"a":\\}', 'invalid character \'\\\\\' looking for beginning of value ({"a":\\})'],
];

test('tells JSON syntax errors in upstream’s words', () => {
  for (const [text, reason] of syntaxErrors) {
    assert.throws(() => decode(text, 'Ignore', 'json'), {
      reason: 'BadRequest',
      message: `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ${reason}`,
    });
  }
});

test('every text that JSON.parse refuses is refused by the slow scanner too', () => {
  check(
    property(json(), nat(), string({ maxLength: 2 }), (text, at, insert) => {
      const broken =
        text.slice(0, at % (text.length + 1)) + insert + text.slice(at % (text.length + 1));
      const isJson = (read: () => unknown): boolean => {
        try {
          read();
          return true;
        } catch {
          return false;
        }
      };
      assert.equal(
        isJson(() => inspectJson(broken)),
        isJson(() => JSON.parse(broken)),
      );
    }),
    { numRuns: 500 },
  );
});

test('reads YAML and its duplicate keys', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\ndata:\n  a: "1"\n  a: "2"\n';
  assert.deepEqual(decode(text, 'Ignore', 'yaml').object['data'], { a: '2' });
  assert.throws(() => decode(text, 'Strict', 'yaml'), {
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ' +
      'yaml: unmarshal errors:\n  line 5: key "a" already set in map',
  });
});

const plainScalars: ReadonlyArray<readonly [text: string, value: unknown]> = [
  ['yes', true],
  ['Off', false],
  ['y', true],
  ['~', null],
  ['012', 10],
  ['0o14', 12],
  ['0x1F', 31],
  ['0b101', 5],
  ['-0x10', -16],
  ['1_000', 1000],
  ['1e3', 1000],
  ['.5', 0.5],
  ['08', 8],
  ['1:30', '1:30'],
  ['2026-01-02', '2026-01-02'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
  ['1.2.3', '1.2.3'],
  ['10Gi', '10Gi'],
  ['+12', 12],
  ['yesterday', 'yesterday'],
];

test('reads plain scalars as upstream’s YAML parser', () => {
  for (const [text, value] of plainScalars) assert.deepEqual(resolvePlain(text), value, text);
});

test('reads anchors, merges, block text and quoted words', () => {
  const text = [
    'base: &base {a: 1, b: yes}',
    'derived:',
    '  <<: *base',
    '  b: "yes"',
    'text: |',
    '  one',
    '  two',
    '1: x',
    'empty:',
  ].join('\n');
  assert.deepEqual(readYaml(text).value, {
    base: { a: 1, b: true },
    derived: { a: 1, b: 'yes' },
    text: 'one\ntwo\n',
    '1': 'x',
    empty: null,
  });
});

function decodeDeployment(text: string): Record<string, unknown> {
  return decodeBody<Record<string, unknown>>({
    body: Buffer.from(text),
    mediaType: 'json',
    typeName: 'io.k8s.api.apps.v1.Deployment',
    mode: 'Ignore',
  }).object;
}

test('an integer is written as one', () => {
  const withReplicas = (number: string): string =>
    `{"kind":"Deployment","apiVersion":"apps/v1","spec":{"replicas":${number}}}`;
  for (const number of ['1.0', '1e2', '2147483648']) {
    assert.throws(() => decodeDeployment(withReplicas(number)), {
      message: `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number ${number} into Go struct field DeploymentSpec.spec.replicas of type int32`,
    });
  }
  assert.deepEqual(decodeDeployment(withReplicas('1'))['spec'], { replicas: 1 });
});

test('where no integer is wanted, any number is one', () => {
  const limits = '{"cpu":1e0,"memory":0.5}';
  const text = `{"spec":{"template":{"spec":{"containers":[{"resources":{"limits":${limits}}}]}}}}`;
  const spec = decodeDeployment(text)['spec'] as {
    template: { spec: { containers: { resources: object }[] } };
  };
  const resources = spec.template.spec.containers[0]?.resources;
  assert.deepEqual(resources, { limits: { cpu: '1', memory: '500m' } });
});

test('a number beyond 64 bits is no integer', () => {
  const text = '{"metadata":{"generation":9223372036854775808}}';
  assert.throws(() => decodeDeployment(text), /cannot unmarshal number 9223372036854776000 into/);
});

test('texts are what Go makes of them', () => {
  const text = '{"data":{"a":"x\\ud800y"}}';
  assert.deepEqual(decode(text, 'Ignore', 'json').object['data'], { a: 'x\ufffdy' });
  assert.throws(() => decode('\ufeff{}', 'Ignore', 'json'), {
    message:
      /json parse error: invalid character 'ï' looking for beginning of value \(efbbbf7b7d\)/,
  });
  assert.throws(() => decode('{"kind":1}', 'Ignore', 'json'), {
    message: /cannot unmarshal number into Go struct field \.kind of type string \(\{"kind":1\}\)/,
  });
  assert.deepEqual(decode('null', 'Ignore', 'json').object, {});
});

test('what nests too deep is refused before anything follows it down', () => {
  const deep = (count: number): string => `{"data":${'['.repeat(count)}${']'.repeat(count)}}`;
  assert.throws(() => decode(deep(1_000_000), 'Warn', 'json'), {
    message: /json parse error: exceeded max depth \(/,
  });
  const dashes = `a:\n  ${'- '.repeat(100_000)}x\n`;
  for (const text of [deep(100_000), `a: ${deep(100_000)}`, dashes]) {
    assert.throws(() => decode(text, 'Warn', 'yaml'), {
      message: /yaml: exceeded max depth of 10000/,
    });
  }
  const brackets = JSON.stringify({ data: { a: '['.repeat(100_000) } });
  assert.deepEqual(decode(brackets, 'Warn', 'json').warnings, []);
});

test('of several YAML documents the first is read', () => {
  assert.deepEqual(readYaml('a: 1\n---\na: 2\n').value, { a: 1 });
});
