import { test } from 'node:test';
import { kindUnderTest, validKind } from '../testing/check-kind.ts';

const group = 'rbac.authorization.k8s.io';
const required = 'Required value';

test('Role and ClusterRole', () => {
  validKind(group, 'roles').create([
    [{ 'metadata.name': 'system:any' }],
    [
      { 'rules.0.verbs': [] },
      'rules[0].verbs: Required value: verbs must contain at least one value',
    ],
    [
      { 'rules.0': { verbs: ['get'], nonResourceURLs: ['/x'] } },
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
    ],
    [
      { 'rules.0': { verbs: ['get'] } },
      'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ]);
  validKind(group, 'clusterroles').create([
    [{ 'rules.0': { verbs: ['get'], nonResourceURLs: ['/x'] } }],
    [
      { 'rules.0.nonResourceURLs': ['/x'] },
      'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
    ],
    [
      { aggregationRule: { clusterRoleSelectors: [] } },
      'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  ]);
});

test('RoleBinding and ClusterRoleBinding', () => {
  const bindings = validKind(group, 'rolebindings');
  bindings.create([
    [
      { 'roleRef.kind': 'Group' },
      'roleRef.kind: Unsupported value: "Group": supported values: "Role", "ClusterRole"',
    ],
    [
      { 'subjects.0': { kind: 'Robot', name: 'r' } },
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
    ],
    [
      { 'subjects.0.apiGroup': 'x' },
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
    ],
  ]);
  bindings.update([
    [{}, { subjects: [] }],
    [
      {},
      { 'roleRef.name': 'admin' },
      'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"admin"}: cannot change roleRef',
    ],
  ]);
  validKind(group, 'clusterrolebindings').create([
    [{ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }, `subjects[0].namespace: ${required}`],
  ]);
});

test('CertificateSigningRequest', () => {
  const requests = validKind('certificates.k8s.io', 'certificatesigningrequests');
  const approved = [{ type: 'Approved', status: 'True', reason: 'Test' }];
  requests.create([
    [
      { 'spec.request': 'AAAA' },
      'spec.request: Invalid value: "AAAA": PEM block type must be CERTIFICATE REQUEST',
    ],
    [{ 'spec.usages': [] }, `spec.usages: ${required}`],
    [
      { 'spec.signerName': 'signer' },
      `spec.signerName: Invalid value: "signer": must be a fully qualified domain and path of the form 'example.com/signer-name'`,
    ],
    [
      { 'spec.expirationSeconds': 60 },
      'spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 600 seconds (10 minutes)',
    ],
  ]);
  requests.update([[{}, { 'status.conditions': approved }]], 'approval');
  requests.update(
    [
      [
        {},
        { 'status.conditions': [...approved, { type: 'Denied', status: 'True' }] },
        'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
      ],
      [
        { 'status.conditions': approved },
        { 'status.conditions': [] },
        'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
      ],
    ],
    'approval',
  );
  requests.update(
    [
      [
        {},
        { 'status.conditions': approved },
        'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
      ],
      [
        {},
        { 'status.certificate': 'AAAA' },
        'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
      ],
    ],
    'status',
  );
});

test('reviews ask one question about somebody', () => {
  const resourceAttributes = { verb: 'get', resource: 'pods' };
  const metadata = { name: '' };
  const reviews = kindUnderTest('authorization.k8s.io', 'subjectaccessreviews', {
    metadata,
    spec: { user: 'jane', resourceAttributes },
  });
  reviews.create([
    [
      { 'spec.resourceAttributes': undefined },
      'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
    [
      { 'spec.user': '' },
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ],
    [
      { 'spec.resourceAttributes.labelSelector': {} },
      'spec.resourceAttributes.labelSelector.requirements: Required value: when spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required',
    ],
  ]);
});
