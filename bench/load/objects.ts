import type { Load } from './load.ts';

/** Text of a length that looks like what people store. */
function filler(length: number): string {
  return 'lorem-ipsum-0123456789-'.repeat(Math.ceil(length / 23)).slice(0, length);
}

const payload = filler(900);

export function configMap(name: string, data: Readonly<Record<string, string>> = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { app: 'bench' } },
    data: { payload, ...data },
  };
}

/** A pod of about 3 KB once defaulted, which no machine here can run. */
export function pod(name: string, spec: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: 'bench', 'pod-template-hash': '5d4f8c7b9', tier: 'backend' },
      annotations: { 'bench.example/description': filler(200) },
    },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      ...spec,
      containers: [
        {
          name: 'main',
          image: 'registry.example/bench/app:v1.2.3',
          command: ['/bin/app', '--serve', '--port=8080'],
          ports: [{ containerPort: 8080, name: 'http' }],
          env: [0, 1, 2, 3, 4, 5].map((i) => ({ name: `VAR_${i}`, value: `value-${i}` })),
          resources: {
            requests: { cpu: '100m', memory: '64Mi' },
            limits: { cpu: '200m', memory: '128Mi' },
          },
          readinessProbe: { httpGet: { path: '/healthz', port: 8080 } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  };
}

export function deployment(name: string, revision: number): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name, revision: String(revision) } },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'main',
              image: `x:${revision}`,
              ports: [{ containerPort: 80 }],
              env: [{ name: 'A', value: String(revision) }],
            },
          ],
        },
      },
    },
  };
}

/** A Node that is Ready, big, and nobody's. */
export function simulatedNode(name: string, number: number): object {
  const room = { cpu: '32', memory: '128Gi', pods: '250', 'ephemeral-storage': '100Gi' };
  const time = '2026-01-01T00:00:00Z';
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `z${number % 3}`,
        bench: 'simulated',
      },
    },
    spec: { podCIDR: `10.${64 + (number >> 8)}.${number & 255}.0/24` },
    status: {
      capacity: room,
      allocatable: room,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'KubeletReady',
          lastHeartbeatTime: time,
          lastTransitionTime: time,
        },
      ],
    },
  };
}

/** Creates a namespace with the service account that pods need. */
export async function ensureNamespace(load: Load, name: string): Promise<void> {
  const ok = [201, 409];
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await load.must('POST', '/api/v1/namespaces', namespace, ok);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } };
  await load.must('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account, ok);
}
