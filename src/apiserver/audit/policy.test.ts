import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readRequestInfo } from '../request-info.ts';
import { parseAuditPolicy } from './policy.ts';

const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n';
const jane = { name: 'jane', groups: ['dev', 'system:authenticated'] };

const policy = parseAuditPolicy(
  `${head}omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: None
  users: [system:kube-proxy]
  verbs: [watch]
- level: None
  nonResourceURLs: ["/healthz*", "/version"]
- level: Request
  resources:
  - group: ""
    resources: [pods]
    resourceNames: [special]
- level: Metadata
  omitStages: [Panic]
  resources:
  - {group: "", resources: ["pods/log", "*/status"]}
- level: None
  namespaces: [quiet]
- level: RequestResponse
  userGroups: [dev]
  resources: [{group: apps}]
  omitManagedFields: false
- level: Metadata
  resources: [{group: "", resources: ["services/*"]}]
`,
  'p.yaml',
);

const cases: readonly [string, string, string, string][] = [
  ['GET', '/api/v1/pods', '', 'None'],
  ['GET', '/version', '', 'None'],
  ['GET', '/healthz/ping', '', 'None'],
  ['GET', '/api/v1/namespaces/n/pods/special', '', 'Request'],
  ['GET', '/api/v1/namespaces/n/pods/special/log', '', 'Metadata'],
  ['PUT', '/api/v1/nodes/a/status', '', 'Metadata'],
  ['GET', '/apis/apps/v1/namespaces/quiet/deployments', '', 'None'],
  ['GET', '/apis/apps/v1/namespaces/loud/deployments', '', 'RequestResponse'],
  ['POST', '/api/v1/namespaces/n/services/s/proxy', '', 'Metadata'],
  ['GET', '/api/v1/namespaces/n/services/s', '', 'Metadata'],
];

for (const [method, path, query, level] of cases) {
  test(`${method} ${path} is told at level ${level}`, () => {
    assert.equal(policy.decide(jane, readRequestInfo(method, path, query)).level, level);
  });
}

test('stages and managed fields of the rule add to those of the policy', () => {
  const status = policy.decide(jane, readRequestInfo('PUT', '/api/v1/nodes/a/status', ''));
  assert.deepEqual([...status.omitStages].sort(), ['Panic', 'RequestReceived']);
  assert.equal(status.omitManagedFields, true);
  const apps = policy.decide(jane, readRequestInfo('GET', '/apis/apps/v1/deployments', ''));
  assert.equal(apps.omitManagedFields, false);
});

describe('a bad policy', () => {
  const bad: readonly [string, RegExp][] = [
    ['rules: [', /^failed decoding: .*from file p\.yaml$/s],
    ['kind: Policy\napiVersion: v9\n', /no kind "Policy" is registered for version "v9"/],
    [`${head}rules: []`, /^loaded illegal policy with 0 rules: from file p\.yaml$/],
    [`${head}rules: [{level: All}]`, /rules\[0\]\.level: Unsupported value: "All"/],
    [`${head}rules: [{}]`, /rules\[0\]\.level: Required value/],
    [
      `${head}rules: [{level: None, namespaces: [a], nonResourceURLs: [/x]}]`,
      /rules cannot apply to both regular resources and non-resource URLs/,
    ],
    [
      `${head}rules: [{level: None, nonResourceURLs: [x]}]`,
      /nonResourceURLs\[0\]: Invalid value: "x": non-resource URL rules must begin with a '\/' character/,
    ],
    [
      `${head}rules: [{level: None, nonResourceURLs: ["/a*b"]}]`,
      /non-resource URL wildcards '\*' must be the final character of the rule/,
    ],
    [
      `${head}rules: [{level: None, omitStages: [Never]}]`,
      /omitStages\[0\]: Invalid value: "Never": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic: from file/,
    ],
    [
      `${head}rules: [{level: None, resources: [{group: rbac.authorization.k8s.io/v1}]}]`,
      /rules\[0\]\.resources\.group: Invalid value: "rbac\.authorization\.k8s\.io\/v1": a lowercase RFC 1123 subdomain must consist/,
    ],
    [
      `${head}rules: [{level: None, resources: [{resourceNames: [a]}]}]`,
      /rules\[0\]\.resources\.resourceNames: Invalid value: \["a"\]: using resourceNames requires at least one resource/,
    ],
  ];
  for (const [text, expected] of bad) {
    test(`is refused: ${expected.source}`, () => {
      assert.throws(() => parseAuditPolicy(text, 'p.yaml'), {
        code: 'BadAuditPolicy',
        message: expected,
      });
    });
  }
});
