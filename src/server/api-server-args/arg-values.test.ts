import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readApiServerArgs } from './arg-values.ts';

test('arguments that are not given have their defaults', () => {
  const args = readApiServerArgs([]);
  assert.equal(args.integer('max-requests-inflight'), 400);
  assert.equal(args.durationMs('request-timeout'), 60_000);
  assert.equal(args.boolean('enable-priority-and-fairness'), true);
  assert.deepEqual(args.list('cors-allowed-origins'), []);
  assert.equal(args.isGiven('request-timeout'), false);
});

test('the last value counts, lists add up, dashes and a missing value are taken as k3s does', () => {
  const args = readApiServerArgs([
    'max-requests-inflight=10',
    '--max-requests-inflight=20',
    'cors-allowed-origins=//a$,//b$',
    'cors-allowed-origins=//c$',
    'audit-log-compress',
    'v=4',
  ]);
  assert.equal(args.integer('max-requests-inflight'), 20);
  assert.deepEqual(args.list('cors-allowed-origins'), ['//a$', '//b$', '//c$']);
  assert.equal(args.boolean('audit-log-compress'), true);
  assert.deepEqual(args.ignored, ['v']);
});

const refusals: readonly [string, RegExp][] = [
  ['no-such-flag=1', /^unknown flag: --no-such-flag$/],
  [
    'max-requests-inflight=many',
    /^invalid argument "many" for "--max-requests-inflight" flag: strconv.ParseInt: parsing "many": invalid syntax$/,
  ],
  [
    'request-timeout=1x',
    /^invalid argument "1x" for "--request-timeout" flag: time: unknown unit "x" in duration "1x"$/,
  ],
  ['goaway-chance=0.5', /^--goaway-chance: must be in the range \[0, 0.02\]$/],
  [
    'tls-cipher-suites=NOPE',
    /^--tls-cipher-suites: Cipher suite NOPE not supported or doesn't exist$/,
  ],
  ['tls-min-version=TLS1', /^--tls-min-version: unknown tls version "TLS1"$/],
  ['feature-gates=AllAlpha=false,Nope=true', /^--feature-gates: unrecognized feature gate: Nope$/],
  ['secure-port=1', /use --https-listen-port of k3ts$/],
  ['constructor=1', /^unknown flag: --constructor$/],
];

for (const [text, expected] of refusals) {
  test(`--kube-apiserver-arg ${text} ends the start with a clear message`, () => {
    assert.throws(() => readApiServerArgs([text]), { code: 'Usage', message: expected });
  });
}
