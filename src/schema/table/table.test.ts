import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { Cell } from './cell-text.ts';
import { tableCells, tableColumns } from './table.ts';

const nowMs = Date.UTC(2026, 0, 1, 12);
const at = (minutesAgo: number): string => new Date(nowMs - minutesAgo * 60_000).toISOString();

function infoOf(kind: string): ResourceInfo {
  const info = catalog.all.find((item) => item.kind === kind);
  assert.ok(info, kind);
  return info;
}

/** The cells of an object with a name and an age of ten minutes, by column name. */
function row(kind: string, object: object): Record<string, Cell> {
  const info = infoOf(kind);
  const { metadata, ...rest } = object as { metadata?: object };
  const whole = { metadata: { name: 'x', creationTimestamp: at(10), ...metadata }, ...rest };
  const cells = tableCells(info, whole, nowMs);
  const columns = tableColumns(info);
  assert.equal(cells.length, columns.length, kind);
  return Object.fromEntries(columns.map((column, index) => [column.name, cells[index] ?? null]));
}

function assertRow(kind: string, object: object, expected: Record<string, Cell>): void {
  const actual = row(kind, object);
  const shown = Object.fromEntries(Object.keys(expected).map((name) => [name, actual[name]]));
  assert.deepEqual(shown, expected, kind);
}

const running = { running: { startedAt: at(5) } };

const pods: ReadonlyArray<readonly [pod: object, ready: string, status: string, restarts: string]> =
  [
    [{ spec: { containers: [{}] }, status: { phase: 'Pending' } }, '0/1', 'Pending', '0'],
    [
      {
        spec: { containers: [{}, {}] },
        status: {
          phase: 'Running',
          containerStatuses: [
            { name: 'a', ready: true, restartCount: 0, state: running },
            {
              name: 'b',
              ready: false,
              restartCount: 3,
              state: { waiting: { reason: 'CrashLoopBackOff' } },
              lastState: { terminated: { exitCode: 1, finishedAt: at(5) } },
            },
          ],
        },
      },
      '1/2',
      'CrashLoopBackOff',
      '3 (5m ago)',
    ],
    [
      {
        spec: { containers: [{}], initContainers: [{ name: 'i' }, { name: 'j' }] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            { name: 'i', restartCount: 0, state: { terminated: { exitCode: 0 } } },
            { name: 'j', restartCount: 1, state: running },
          ],
          containerStatuses: [
            { restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
          ],
        },
      },
      '0/1',
      'Init:1/2',
      '1',
    ],
    [
      {
        spec: { containers: [{}], initContainers: [{ name: 'i' }] },
        status: {
          initContainerStatuses: [
            { name: 'i', restartCount: 2, state: { terminated: { exitCode: 7 } } },
          ],
        },
      },
      '0/1',
      'Init:ExitCode:7',
      '2',
    ],
    [
      {
        spec: { containers: [{}], initContainers: [{ name: 's', restartPolicy: 'Always' }] },
        status: {
          phase: 'Running',
          initContainerStatuses: [
            { name: 's', started: true, ready: true, restartCount: 2, state: running },
          ],
          containerStatuses: [{ name: 'a', ready: true, restartCount: 1, state: running }],
        },
      },
      '2/2',
      'Running',
      '3',
    ],
    [
      {
        spec: { containers: [{}] },
        status: {
          phase: 'Succeeded',
          containerStatuses: [
            { restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          ],
        },
      },
      '0/1',
      'Completed',
      '0',
    ],
    [
      {
        spec: { containers: [{}, {}] },
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'False' }],
          containerStatuses: [
            { restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
            { restartCount: 0, ready: true, state: running },
          ],
        },
      },
      '1/2',
      'NotReady',
      '0',
    ],
    [
      {
        metadata: { deletionTimestamp: at(1) },
        spec: { containers: [{}] },
        status: {
          phase: 'Running',
          containerStatuses: [{ restartCount: 0, ready: true, state: running }],
        },
      },
      '1/1',
      'Terminating',
      '0',
    ],
    [
      {
        spec: { containers: [{}] },
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      '0/1',
      'SchedulingGated',
      '0',
    ],
    [
      { spec: { containers: [{}] }, status: { phase: 'Failed', reason: 'Evicted' } },
      '0/1',
      'Evicted',
      '0',
    ],
  ];

test('pods tell why they are not running', () => {
  for (const [pod, Ready, Status, Restarts] of pods) {
    assertRow('Pod', pod, { Name: 'x', Ready, Status, Restarts, Age: '10m' });
  }
});

test('pods show where they are when asked for wide', () => {
  assertRow(
    'Pod',
    {
      spec: { containers: [], nodeName: 'n', readinessGates: [{ conditionType: 'lb' }] },
      status: { podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'lb', status: 'True' }] },
    },
    { IP: '10.0.0.1', Node: 'n', 'Nominated Node': '<none>', 'Readiness Gates': '1/1' },
  );
});

const rows: ReadonlyArray<readonly [kind: string, object: object, expected: Record<string, Cell>]> =
  [
    [
      'Node',
      {
        metadata: {
          labels: {
            'node-role.kubernetes.io/control-plane': 'true',
            'node-role.kubernetes.io/etcd': 'true',
          },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
          nodeInfo: {
            kubeletVersion: 'v1.36.2+k3ts1',
            osImage: 'Debian',
            kernelVersion: '6.1',
            architecture: 'amd64',
            containerRuntimeVersion: 'containerd://1.6.20',
          },
        },
      },
      {
        Status: 'Ready,SchedulingDisabled',
        Roles: 'control-plane,etcd',
        Version: 'v1.36.2+k3ts1',
        'Internal-IP': '10.0.0.2',
        'External-IP': '<none>',
        'Kernel-Version': '6.1 (amd64)',
      },
    ],
    ['Node', {}, { Status: 'Unknown', Roles: '<none>', 'OS-Image': '<unknown>' }],
    [
      'Service',
      {
        spec: {
          type: 'LoadBalancer',
          clusterIPs: ['10.43.0.7'],
          ports: [
            { port: 80, nodePort: 30080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
          selector: { b: '2', a: '1' },
        },
      },
      {
        Type: 'LoadBalancer',
        'Cluster-IP': '10.43.0.7',
        'External-IP': '<pending>',
        'Port(s)': '80:30080/TCP,53/UDP',
        Selector: 'a=1,b=2',
      },
    ],
    [
      'Service',
      { spec: { type: 'ClusterIP', clusterIPs: ['None'] } },
      { 'Cluster-IP': 'None', 'External-IP': '<none>', 'Port(s)': '<none>' },
    ],
    [
      'Deployment',
      {
        spec: {
          replicas: 3,
          selector: {
            matchLabels: { app: 'web' },
            matchExpressions: [{ key: 'a', operator: 'In', values: ['z', 'y'] }],
          },
          template: {
            spec: {
              containers: [
                { name: 'c', image: 'i' },
                { name: 'd', image: 'j' },
              ],
            },
          },
        },
        status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 2 },
      },
      {
        Ready: '2/3',
        'Up-to-date': 3,
        Available: 2,
        Containers: 'c,d',
        Images: 'i,j',
        Selector: 'a in (y,z),app=web',
      },
    ],
    [
      'Job',
      {
        spec: { completions: 1, template: {} },
        status: {
          succeeded: 1,
          startTime: at(3),
          completionTime: at(1),
          conditions: [{ type: 'Complete', status: 'True' }],
        },
      },
      { Status: 'Complete', Completions: '1/1', Duration: '2m' },
    ],
    [
      'CronJob',
      {
        spec: { schedule: '* * * * *', suspend: false, jobTemplate: {} },
        status: { lastScheduleTime: at(0.5) },
      },
      {
        Schedule: '* * * * *',
        Timezone: '<none>',
        Suspend: 'False',
        Active: 0,
        'Last Schedule': '30s',
      },
    ],
    [
      'Event',
      {
        involvedObject: { kind: 'Pod', name: 'web' },
        reason: 'Started',
        type: 'Normal',
        message: 'Started container\n',
        source: { component: 'kubelet', host: 'n' },
        firstTimestamp: at(20),
        lastTimestamp: at(2),
        count: 4,
      },
      {
        'Last Seen': '2m',
        Object: 'pod/web',
        Source: 'kubelet, n',
        Message: 'Started container',
        'First Seen': '20m',
        Count: 4,
      },
    ],
    [
      'Event',
      { involvedObject: { kind: 'Pod' }, eventTime: at(3), reportingComponent: 'scheduler' },
      { 'Last Seen': '3m', Object: 'pod', Source: 'scheduler', 'First Seen': '3m', Count: 1 },
    ],
    [
      'Ingress',
      {
        spec: { rules: ['a', 'b', 'c', 'd'].map((host) => ({ host })), tls: [{}] },
        status: { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { ip: '1.1.1.1' }] } },
      },
      { Class: '<none>', Hosts: 'a,b,c + 1 more...', Address: '1.1.1.1,2.2.2.2', Ports: '80, 443' },
    ],
    [
      'Endpoints',
      { subsets: [{ addresses: [{ ip: 'fd00::1' }, { ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
      { Endpoints: '[fd00::1]:80,10.0.0.1:80' },
    ],
    [
      'EndpointSlice',
      { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] },
      { AddressType: 'IPv4', Ports: '80', Endpoints: '10.0.0.1' },
    ],
    [
      'PersistentVolume',
      {
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
          claimRef: { namespace: 'default', name: 'data' },
        },
        status: { phase: 'Bound' },
      },
      { Capacity: '1Gi', 'Access Modes': 'RWO,RWX', Status: 'Bound', Claim: 'default/data' },
    ],
    [
      'PersistentVolumeClaim',
      { spec: {}, status: { phase: 'Pending', capacity: { storage: '1Gi' } } },
      { Status: 'Pending', Capacity: '', VolumeMode: '<unset>' },
    ],
    [
      'HorizontalPodAutoscaler',
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'web' },
          maxReplicas: 5,
          metrics: [
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
            },
          ],
        },
      },
      {
        Reference: 'Deployment/web',
        Targets: 'cpu: <unknown>/80%',
        MinPods: '<unset>',
        MaxPods: 5,
      },
    ],
    [
      'RoleBinding',
      {
        roleRef: { kind: 'ClusterRole', name: 'view' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'ServiceAccount', name: 's', namespace: 'n' },
        ],
      },
      { Role: 'ClusterRole/view', Users: 'u', Groups: '', ServiceAccounts: 'n/s' },
    ],
    [
      'StorageClass',
      {
        metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
        provisioner: 'rancher.io/local-path',
      },
      { Name: 'x (default)', ReclaimPolicy: 'Delete', VolumeBindingMode: 'Immediate' },
    ],
    [
      'ResourceQuota',
      { status: { hard: { pods: '2', 'limits.cpu': '4' }, used: { pods: '1' } } },
      { Request: 'pods: 1/2', Limit: 'limits.cpu: 0/4' },
    ],
    [
      'APIService',
      {
        spec: { service: { namespace: 'kube-system', name: 'metrics-server' } },
        status: {
          conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }],
        },
      },
      { Service: 'kube-system/metrics-server', Available: 'False (MissingEndpoints)' },
    ],
    ['Secret', { type: 'Opaque', data: { a: '' } }, { Type: 'Opaque', Data: 1 }],
    ['Lease', { spec: { holderIdentity: 'h' } }, { Holder: 'h' }],
    ['Role', {}, { Name: 'x', 'Created At': at(10) }],
  ];

test('rows of other kinds', () => {
  for (const [kind, object, expected] of rows) assertRow(kind, object, expected);
});

test('every kind makes a row as long as its header from next to nothing', () => {
  const spec = {
    source: {},
    pool: {},
    containers: [],
    template: {},
    jobTemplate: {},
    priorityLevelConfiguration: {},
  };
  const empty = { spec, involvedObject: {}, roleRef: {}, endpoints: [] };
  for (const info of catalog.all) {
    if (info.verbs.includes('list')) assert.ok(row(info.kind, empty), info.kind);
  }
});

test('custom resources show name and age', () => {
  const crane = { ...infoOf('Pod'), group: 'example.org', resource: 'cranes', kind: 'Crane' };
  assert.deepEqual(
    tableColumns(crane).map((column) => column.name),
    ['Name', 'Age'],
  );
  const object = { metadata: { name: 'x', creationTimestamp: at(10) } };
  assert.deepEqual(tableCells(crane, object, nowMs), ['x', '10m']);
});
