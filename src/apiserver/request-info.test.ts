import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequestInfo } from './request-info.ts';

/** method, target, then verb group/version resource/subresource namespace name (empty: -). */
const cases: readonly (readonly [method: string, target: string, expected: string])[] = [
  ['GET', '/api/v1/namespaces/a/pods', 'list /v1 pods/ a -'],
  ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch /v1 pods/ a -'],
  ['GET', '/api/v1/namespaces/a/pods?watch=0', 'list /v1 pods/ a -'],
  ['GET', '/api/v1/pods?limit=1&watch', 'watch /v1 pods/ - -'],
  ['GET', '/api/v1/namespaces/a/pods/p', 'get /v1 pods/ a p'],
  ['GET', '/api/v1/namespaces/a/pods/p/log', 'get /v1 pods/log a p'],
  ['HEAD', '/api/v1/nodes/n', 'get /v1 nodes/ - n'],
  ['GET', '/api/v1/namespaces/a', 'get /v1 namespaces/ a a'],
  ['PUT', '/api/v1/namespaces/a/finalize', 'update /v1 namespaces/finalize a a'],
  ['PATCH', '/api/v1/namespaces/a/status', 'patch /v1 namespaces/status a a'],
  ['POST', '/apis/apps/v1/namespaces/a/deployments', 'create apps/v1 deployments/ a -'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection apps/v1 deployments/ a -'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments/d', 'delete apps/v1 deployments/ a d'],
  ['GET', '/api/v1/watch/namespaces/a/pods', 'watch /v1 pods/ a -'],
  ['GET', '/api/v1/watch/namespaces/a/pods/p', 'watch /v1 pods/ a p'],
  ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dp', 'list /v1 pods/ - p'],
  ['GET', '/api/v1/pods?fieldSelector=a!%3Db,metadata.name%3D%3Dp', 'list /v1 pods/ - p'],
  // a name within the value of another field is no name
  ['GET', '/api/v1/pods?fieldSelector=a!%3Db%5C,metadata.name%3Dp', 'list /v1 pods/ - -'],
  ['GET', '/api/v1/pods?fieldSelector=a!%3Db%5C,metadata.name%5C%3Dp', 'list /v1 pods/ - -'],
  ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Da%2Fb', 'list /v1 pods/ - -'],
  ['POST', '/api/v1/namespaces/a/services/s:80/proxy/x/y', 'create /v1 services/proxy a s:80'],
  [
    'GET',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    'get rbac.authorization.k8s.io/v1 clusterroles/ - system:node',
  ],
];

for (const [method, target, expected] of cases) {
  test(`${method} ${target} is ${expected}`, () => {
    const [path = '', query = ''] = target.split('?');
    const info = readRequestInfo(method, path, query);
    assert.ok(info.isResourceRequest);
    const { verb, group, version, resource, subresource, namespace, name } = info;
    assert.equal(
      `${verb} ${group}/${version} ${resource}/${subresource} ${namespace || '-'} ${name || '-'}`,
      expected,
    );
  });
}

test('paths that are no resources keep the method as their verb', () => {
  for (const path of ['/', '/healthz', '/api', '/api/v1', '/apis', '/apis/apps/v1', '/version']) {
    const info = readRequestInfo('GET', path, '');
    assert.deepEqual([info.isResourceRequest, info.verb, info.path], [false, 'get', path]);
  }
});
