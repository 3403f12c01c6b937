import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAuthorizationConfiguration } from './authorization-configuration.ts';

const webhook = {
  timeout: '3s',
  authorizedTTL: '1m',
  unauthorizedTTL: '1m',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'Deny',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/hook' },
};

function read(...authorizers: object[]) {
  const apiVersion = 'apiserver.config.k8s.io/v1';
  const object = { apiVersion, kind: 'AuthorizationConfiguration', authorizers };
  return readAuthorizationConfiguration(JSON.stringify(object));
}

const hook = (changes: object) => ({
  type: 'Webhook',
  name: 'w',
  webhook: { ...webhook, ...changes },
});

describe('AuthorizationConfiguration', () => {
  it('names the authorizers in their order', () => {
    const found = read(hook({ cacheUnauthorizedRequests: false }), { type: 'RBAC', name: 'r' });
    assert.deepEqual(
      found.map(({ mode, name }) => [mode, name]),
      [
        ['Webhook', 'w'],
        ['RBAC', 'r'],
      ],
    );
    assert.equal(found[0]?.webhook?.authorizedTtlMs, 60_000);
    assert.equal(found[0]?.webhook?.unauthorizedTtlMs, 0);
  });

  const wrong: [string, object, string][] = [
    [
      'too long a timeout',
      hook({ timeout: '31s' }),
      'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s',
    ],
    [
      'no failure policy',
      hook({ failurePolicy: '' }),
      'authorizers[0].failurePolicy: Required value',
    ],
    [
      'a place that is not absolute',
      hook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'hook' } }),
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "hook": must be an absolute path',
    ],
    [
      'conditions without their version',
      hook({ matchConditions: [{ expression: 'true' }] }),
      'authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified',
    ],
    [
      'an empty condition',
      hook({
        matchConditionSubjectAccessReviewVersion: 'v1',
        matchConditions: [{ expression: ' ' }],
      }),
      'authorizers[0].matchConditions[0].expression: Required value',
    ],
    [
      'a webhook of another type',
      { type: 'RBAC', name: 'r', webhook },
      'authorizers[0].webhook: Invalid value: "non-null": may only be specified when type=Webhook',
    ],
  ];
  for (const [name, entry, why] of wrong) {
    it(`${name} is refused`, () => {
      assert.throws(() => read(entry), { message: `invalid AuthorizationConfiguration: ${why}` });
    });
  }

  it('a field that nobody knows is named where it is', () => {
    assert.throws(() => read(hook({ timeOut: '1s' })), /"authorizers\[0\]\.webhook\.timeOut"/);
  });
});
