import assert from 'node:assert/strict';
import { it } from 'node:test';

import type { CustomResourceDefinition } from '#schema/types.ts';
import { deprecationOf } from './deprecation.ts';
import { finalizerWarnings } from './finalizer-warnings.ts';

const version = (name: string, more: object = {}): object => ({
  name,
  served: true,
  storage: false,
  ...more,
});
const definition = (...versions: object[]): CustomResourceDefinition =>
  ({
    spec: { group: 'g.example', names: { kind: 'Thing' }, versions },
  }) as unknown as CustomResourceDefinition;

it('a deprecated version names the best one to use instead', () => {
  const own = version('v1beta1', { deprecated: true });
  assert.equal(deprecationOf(definition(version('v1')), 'v1'), undefined);
  assert.equal(
    deprecationOf(definition(own, version('v1'), version('v2')), 'v1beta1'),
    'g.example/v1beta1 Thing is deprecated; use g.example/v2 Thing',
  );
  assert.equal(
    deprecationOf(definition(own, version('v1alpha1')), 'v1beta1'),
    'g.example/v1beta1 Thing is deprecated',
  );
  const worded = version('v1', { deprecated: true, deprecationWarning: 'go away' });
  assert.equal(deprecationOf(definition(worded, version('v2')), 'v1'), 'go away');
});

it('new finalizers without a domain are told', () => {
  const object = (finalizers: string[]) => ({ metadata: { name: 'a', finalizers } });
  assert.deepEqual(finalizerWarnings(object(['a.example/f', 'orphan']), undefined), []);
  assert.match(
    finalizerWarnings(object(['plain']), undefined)[0] ?? '',
    /prefer a domain-qualified finalizer name to/,
  );
  assert.match(
    finalizerWarnings(object(['a.example']), undefined)[0] ?? '',
    /including a path \(\/\)/,
  );
  assert.deepEqual(finalizerWarnings(object(['plain']), object(['plain'])), []);
});
