import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, PodSpec } from '#schema/types.ts';
import { admitPod } from './admission.ts';
import { victimsFor } from './critical-preemption.ts';
import { sysctlProblem } from './sysctls.ts';

const node: Node = {
  metadata: { name: 'node-1' },
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
};

function pod(name: string, spec: Partial<PodSpec> = {}, cpu?: string): Pod {
  const resources = cpu === undefined ? {} : { requests: { cpu } };
  return {
    metadata: { name, uid: name },
    spec: { containers: [{ name: 'c', resources }], ...spec },
  };
}

test('pods that the node cannot run are rejected with reason and text', () => {
  const table: [Partial<PodSpec>, string, string][] = [
    [
      { securityContext: { supplementalGroupsPolicy: 'Strict' } },
      'SupplementalGroupsPolicyNotSupported',
      'SupplementalGroupsPolicy=Strict is not supported in this node',
    ],
    [
      { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } },
      'AppArmor',
      'Cannot enforce AppArmor: AppArmor is not enabled on the host',
    ],
    [
      { nodeName: 'other' },
      'NodeName',
      "Predicate NodeName failed: node(s) didn't match the requested node name",
    ],
    [
      { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      'SysctlForbidden',
      'forbidden sysctl: "kernel.msgmax" not allowlisted',
    ],
    [
      { os: { name: 'windows' } },
      'PodOSNotSupported',
      "Failed to admit pod as the OS field doesn't match node OS",
    ],
  ];
  for (const [spec, reason, message] of table) {
    const inputs = { pod: pod('p', spec), node, active: [], allowedUnsafeSysctls: [] };
    assert.deepEqual(admitPod({ ...inputs, hasAppArmor: false }), { reason, message });
  }
  const unconfined = pod('p', { securityContext: { appArmorProfile: { type: 'Unconfined' } } });
  const inputs = {
    pod: unconfined,
    node,
    active: [],
    allowedUnsafeSysctls: [],
    hasAppArmor: false,
  };
  assert.equal(admitPod(inputs), undefined);
});

test('sysctls: safe ones, allowed ones by pattern, none of a namespace of the host', () => {
  const problem = (name: string, spec: Partial<PodSpec> = {}, allowed: string[] = []) =>
    sysctlProblem(
      pod('p', { securityContext: { sysctls: [{ name, value: '1' }] }, ...spec }),
      allowed,
    );
  assert.equal(problem('net.ipv4.tcp_syncookies'), undefined);
  assert.equal(problem('net/ipv4/tcp_syncookies'), undefined);
  assert.equal(problem('net.core.somaxconn'), '"net.core.somaxconn" not allowlisted');
  assert.equal(problem('net.core.somaxconn', {}, ['net.core.*']), undefined);
  assert.equal(
    problem('net.ipv4.tcp_syncookies', { hostNetwork: true }),
    '"net.ipv4.tcp_syncookies" not allowed with host net enabled',
  );
  assert.equal(
    problem('kernel.msgmax', { hostIPC: true }, ['kernel.msg*']),
    '"kernel.msgmax" not allowed with host ipc enabled',
  );
});

test('a critical pod takes the place of as few unimportant ones as needed', () => {
  const critical = pod('critical', { priority: 2_000_000_000 }, '1');
  const names = (active: Pod[]) =>
    victimsFor({ pod: critical, node, active })?.map(({ metadata }) => metadata.name);
  const guaranteed = pod('guaranteed', {
    containers: [
      {
        name: 'c',
        resources: {
          limits: { cpu: '1', memory: '1Gi' },
          requests: { cpu: '1', memory: '1Gi' },
        },
      },
    ],
  });
  const low = pod('low', { priority: -1 }, '1');
  const high = pod('high', { priority: 5 }, '1');
  assert.deepEqual(names([guaranteed, low]), ['low']);
  assert.deepEqual(names([high, low]), ['low']);
  assert.deepEqual(names([pod('idle'), high]), []);
  // Too many pods, but enough of everything else: any pod will do, a best effort one first.
  assert.deepEqual(names([pod('a', {}, '100m'), pod('idle'), pod('b', {}, '100m')]), ['idle']);
  const other = pod('other critical', { priority: 2_000_000_000 }, '2');
  assert.equal(names([other]), undefined);
});
