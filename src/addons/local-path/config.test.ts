import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '#base/random.ts';
import type { PersistentVolumeClaim, StorageClass } from '#schema/types.ts';
import { choosePath, parseConfig } from './config.ts';
import { directoryName } from './directory-name.ts';

const random = seededRandom(5);
const text = (config: object): string => JSON.stringify(config);
const two = text({
  nodePathMap: [
    { node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: ['/opt/default/'] },
    { node: 'big', paths: ['/data1', '/data2'] },
    { node: 'none', paths: [] },
  ],
});

test('a node that is listed has its own paths, every other one the default', () => {
  const config = parseConfig(two, 'local-path');
  assert.equal(choosePath(config, 'small', { random }), '/opt/default');
  assert.match(choosePath(config, 'big', { random }), /^\/data[12]$/);
  assert.equal(choosePath(config, 'big', { random, wanted: '/data2' }), '/data2');
  assert.throws(() => choosePath(config, 'big', { random, wanted: '/x' }), {
    message: "config doesn't contain path /x on node big",
  });
  assert.throws(() => choosePath(config, 'none', { random }), {
    message: 'no local path available on node none',
  });
  assert.throws(() => choosePath(parseConfig('{}', ''), 'a', { random }), {
    message: "config doesn't contain node a, and no DEFAULT_PATH_FOR_NON_LISTED_NODES available",
  });
});

test('a class may have settings of its own, a shared directory among them', () => {
  const shared = { sharedFileSystemPath: '/shared' };
  const config = text({ ...JSON.parse(two), storageClassConfigs: { shared } });
  assert.equal(parseConfig(config, 'shared').sharedPath, '/shared');
  assert.equal(parseConfig(config, 'local-path').sharedPath, undefined);
});

test('what cannot be meant is refused', () => {
  const cases: [object, RegExp][] = [
    [{ nodePathMap: [{ node: 'a', paths: ['data'] }] }, /path must start with \/ for path data/],
    [{ nodePathMap: [{ node: 'a', paths: ['/'] }] }, /cannot use root \('\/'\) as path on node a/],
    [{ nodePathMap: [{ node: 'a', paths: ['/b', '/b'] }] }, /duplicate path \/b on node a/],
    [{ nodePathMap: [{ node: 'a' }, { node: 'a' }] }, /duplicate node a/],
  ];
  for (const [config, message] of cases) {
    assert.throws(() => parseConfig(text(config), ''), { message });
  }
  assert.throws(() => parseConfig('{', ''), { message: /fail to load config file/ });
});

test('directories are named after volume, namespace and claim, or by the pattern', () => {
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'shop', annotations: { tier: 'gold' } },
  };
  const like = (parameters: Record<string, string>): StorageClass => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'local-path' },
    provisioner: 'rancher.io/local-path',
    parameters,
  });
  const name = (parameters: Record<string, string>): string =>
    directoryName('pvc-1', claim, like(parameters));
  assert.equal(name({}), 'pvc-1_shop_data');
  assert.equal(name({ pathPattern: '{{ .PVC.Namespace }}/{{.PVC.Name}}' }), 'shop/data');
  assert.equal(
    name({ pathPattern: '{{ .PVC.annotations.tier }}', allowUnsafePathPattern: 'true' }),
    'gold',
  );
  assert.throws(() => name({ pathPattern: '{{ .PVName }}' }), { code: 'LocalPathPattern' });
  assert.throws(() => name({ pathPattern: '{{ if .x }}' }), { code: 'LocalPathPattern' });
  assert.throws(() => name({ pathPattern: 'shop/../../etc' }), { code: 'LocalPathPattern' });
});
