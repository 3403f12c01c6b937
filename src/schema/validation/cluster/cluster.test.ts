import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const required = 'Required value';
const immutable = 'field is immutable';
const notNegative = 'must be greater than or equal to 0';

test('ConfigMap and Secret', () => {
  const key =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
  const frozen = 'field is immutable when `immutable` is set';
  const maps = validKind('', 'configmaps');
  maps.create([
    [{ data: { 'a b': 'x' } }, `data[a b]: Invalid value: "a b": ${key}`],
    [
      { data: { bytes: 'x' } },
      'data[bytes]: Invalid value: "bytes": duplicate of key present in binaryData',
    ],
    [{ data: { a: 'x'.repeat(1048576) } }, ': Too long: may not be more than 1048576 bytes'],
  ]);
  maps.update([
    [{ immutable: true }, { immutable: false }, `immutable: Forbidden: ${frozen}`],
    [{ immutable: true }, { data: {} }, `data: Forbidden: ${frozen}`],
  ]);
  const secrets = validKind('', 'secrets');
  secrets.create([
    [{ type: 'kubernetes.io/tls' }, `data[tls.crt]: ${required}`, `data[tls.key]: ${required}`],
    [
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'eA==' } },
      `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character 'x' looking for beginning of value`,
    ],
    [
      { type: 'kubernetes.io/service-account-token' },
      `metadata.annotations[kubernetes.io/service-account.name]: ${required}`,
    ],
  ]);
  secrets.update([[{}, { type: 'other' }, `type: Invalid value: "other": ${immutable}`]]);
});

test('Namespace', () => {
  const namespaces = validKind('', 'namespaces');
  namespaces.create([
    [
      { 'spec.finalizers': ['mine'] },
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ],
  ]);
  const lines = namespaces.updated(
    { 'status.phase': 'Active' },
    { 'status.phase': 'Terminating' },
    'status',
  );
  assert.deepEqual(lines, [
    `status.Phase: Invalid value: "Terminating": may only be 'Active' if \`deletionTimestamp\` is empty`,
  ]);
  namespaces.update(
    [
      [{}, { 'spec.finalizers': [] }],
      [
        {},
        { 'spec.finalizers': ['mine'] },
        'spec.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
    'finalize',
  );
});

test('Node', () => {
  const nodes = validKind('', 'nodes');
  nodes.create([
    [
      { 'spec.taints.1': { key: 'k', effect: 'NoSchedule' } },
      'metadata.taints[1]: Duplicate value: {"key":"k","effect":"NoSchedule"}: taints must be unique by key and effect pair',
    ],
    [
      { 'spec.taints.0.effect': 'Never' },
      'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
    ],
    [
      { 'status.capacity': { cpu: '-1' } },
      `status.capacity.cpu: Invalid value: "-1": ${notNegative}`,
      `status.allocatable.cpu: Invalid value: "-1": ${notNegative}`,
    ],
  ]);
  nodes.update([
    [{}, { 'spec.unschedulable': true }],
    [
      {},
      { 'spec.podCIDRs': ['10.42.9.0/24'] },
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    ],
    [
      { 'spec.providerID': 'a' },
      { 'spec.providerID': 'b' },
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ],
  ]);
});

test('LimitRange', () => {
  const at = 'spec.limits[0]';
  validKind('', 'limitranges').create([
    [
      { 'spec.limits.0.type': 'Thing' },
      `${at}.type: Invalid value: "Thing": must be a standard limit type or fully qualified`,
    ],
    [
      { 'spec.limits.0.default.cpu': '3' },
      `${at}.defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 2`,
      `${at}.default[cpu]: Invalid value: "2": default value 3 is greater than max value 2`,
    ],
    [
      { 'spec.limits.0': { type: 'Pod', default: { cpu: '1' } } },
      `${at}.default: Forbidden: may not be specified when \`type\` is 'Pod'`,
    ],
    [
      { 'spec.limits.0': { type: 'PersistentVolumeClaim' } },
      `${at}.limits: Required value: either minimum or maximum storage value is required, but neither was provided`,
    ],
    [
      { 'spec.limits.0': { type: 'Container', maxLimitRequestRatio: { cpu: '500m' } } },
      `${at}.maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1`,
    ],
  ]);
});

test('ResourceQuota', () => {
  const quotas = validKind('', 'resourcequotas');
  quotas.create([
    [
      { 'spec.hard': { bananas: '1' } },
      'spec.hard[bananas]: Invalid value: "bananas": must be a standard resource type or fully qualified',
      'spec.hard[bananas]: Invalid value: "bananas": must be a standard resource for quota',
    ],
    [
      { 'spec.hard': { pods: '1500m' } },
      'spec.hard[pods]: Invalid value: "1500m": must be an integer',
    ],
    [
      { 'spec.hard': { pods: '1' }, 'spec.scopes': ['BestEffort', 'NotBestEffort'] },
      'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
    ],
    [
      { 'spec.hard': { secrets: '1' }, 'spec.scopes': ['Terminating'] },
      'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
    ],
    [
      {
        'spec.hard': { pods: '1' },
        'spec.scopeSelector': {
          matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In' }],
        },
      },
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    ],
  ]);
  quotas.update([
    [
      { 'spec.hard': { pods: '1' } },
      { 'spec.scopes': ['Terminating'] },
      `spec.scopes: Invalid value: ["Terminating"]: ${immutable}`,
    ],
  ]);
});

test('Event', () => {
  validKind('', 'events').create([
    [
      { 'involvedObject.namespace': 'other' },
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ],
  ]);
  const events = validKind('events.k8s.io', 'events');
  events.create([
    [{ action: '' }, `action: ${required}`],
    [{ type: 'Odd' }, 'type: Invalid value: "": has invalid value: Odd'],
    [{ deprecatedCount: 2 }, 'count: Invalid value: "": needs to be unset'],
    [
      { series: { count: 1, lastObservedTime: '2026-01-01T00:00:00.000000Z' } },
      'series.count: Invalid value: "": should be at least 2',
    ],
  ]);
  events.update([[{}, { reason: 'Other' }, `reason: Invalid value: "Other": ${immutable}`]]);
});

test('Lease, PriorityClass, PodDisruptionBudget and RuntimeClass', () => {
  validKind('coordination.k8s.io', 'leases').create([
    [
      { 'spec.leaseDurationSeconds': 0 },
      'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    ],
    [
      { 'spec.preferredHolder': 'a' },
      'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
    ],
  ]);
  const priorities = validKind('scheduling.k8s.io', 'priorityclasses');
  priorities.create([
    [
      { 'metadata.name': 'system-mine' },
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-mine is not a known system priority class",
    ],
    [
      { value: 1000000001 },
      'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
    ],
  ]);
  priorities.update([[{}, { value: 1 }, 'value: Forbidden: may not be changed in an update.']]);
  validKind('policy', 'poddisruptionbudgets').create([
    [
      { 'spec.maxUnavailable': 1, 'spec.selector': undefined },
      'spec: Invalid value: {"minAvailable":"50%","maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
    [
      { 'spec.minAvailable': '150%' },
      'spec.minAvailable: Invalid value: "150%": must not be greater than 100%',
    ],
    [{ 'metadata.name': 'A B' }],
  ]);
  const runtimes = validKind('node.k8s.io', 'runtimeclasses');
  runtimes.create([[{ handler: '' }, `handler: ${required}`]]);
  runtimes.update([[{}, { handler: 'kata' }, `handler: Invalid value: "kata": ${immutable}`]]);
});
