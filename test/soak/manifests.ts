/** What a soak makes: pods of several kinds, Deployments behind Services, a StatefulSet. */
import type {
  V1ConfigMap,
  V1Container,
  V1Deployment,
  V1Pod,
  V1PodSpec,
  V1Service,
  V1StatefulSet,
} from '@kubernetes/client-node';
import { soakImage } from './image.ts';

export const namespace = 'soak';
export const settingsName = 'settings';

/** Where the containers' locks and notes are, on the machine. */
export const fenceDirectory = '/run/soak';

export const podKinds = ['serve', 'volumes', 'init', 'stubborn', 'crash', 'once'] as const;
export type PodKind = (typeof podKinds)[number];

const field = (name: string, fieldPath: string) => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});

function container(name: string, mode: string, more: Partial<V1Container> = {}): V1Container {
  const { env = [], volumeMounts = [], ...rest } = more;
  return {
    name,
    image: soakImage,
    args: [mode],
    env: [
      field('POD_NAME', 'metadata.name'),
      field('POD_UID', 'metadata.uid'),
      { name: 'CONTAINER', value: name },
      ...env,
    ],
    volumeMounts: [{ name: 'fence', mountPath: '/fence' }, ...volumeMounts],
    ...rest,
  };
}

const fence = { name: 'fence', hostPath: { path: fenceDirectory, type: 'Directory' } };
const readiness = {
  readinessProbe: { httpGet: { path: '/cgi-bin/index.cgi', port: 80 }, periodSeconds: 3 },
};

function specOf(kind: PodKind): V1PodSpec {
  const serve = container('main', 'serve', readiness);
  switch (kind) {
    case 'serve':
      return { volumes: [fence], containers: [serve] };
    case 'volumes':
      return {
        volumes: [
          fence,
          { name: 'scratch', emptyDir: {} },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'settings', configMap: { name: settingsName } },
        ],
        containers: [
          container('main', 'serve', {
            env: [{ name: 'NEEDS', value: '/settings/greeting /single' }],
            resources: { requests: { cpu: '1m' }, limits: { memory: '64Mi' } },
            volumeMounts: [
              { name: 'scratch', mountPath: '/scratch' },
              { name: 'memory', mountPath: '/memory' },
              { name: 'settings', mountPath: '/settings' },
              { name: 'settings', mountPath: '/single', subPath: 'greeting' },
            ],
          }),
        ],
      };
    case 'init':
      return {
        volumes: [fence],
        initContainers: [
          container('first', 'once'),
          container('sidecar', 'wait', { restartPolicy: 'Always' }),
        ],
        containers: [serve, container('second', 'wait')],
      };
    case 'stubborn':
      return {
        volumes: [fence],
        terminationGracePeriodSeconds: 1,
        containers: [container('main', 'stubborn')],
      };
    case 'crash':
      return { volumes: [fence], containers: [container('main', 'crash')] };
    case 'once':
      return {
        volumes: [fence],
        restartPolicy: 'Never',
        containers: [container('main', 'once')],
      };
  }
}

export function podManifest(name: string, kind: PodKind): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { soak: 'pod', kind } },
    spec: { terminationGracePeriodSeconds: 5, ...specOf(kind) },
  };
}

export function deploymentManifest(name: string, replicas: number): V1Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      revisionHistoryLimit: 1,
      selector: { matchLabels: labels },
      strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      template: {
        metadata: { labels, annotations: { version: '0' } },
        spec: { ...specOf('serve'), terminationGracePeriodSeconds: 5 },
      },
    },
  };
}

/** A Service of the pods of one Deployment. */
export function serviceManifest(name: string, app: string): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app }, ports: [{ port: 80 }] },
  };
}

export function statefulSetManifest(name: string, replicas: number): V1StatefulSet {
  const labels = { app: name };
  const identity = { name: 'IDENTITY', value: 'yes' };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      replicas,
      serviceName: name,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 5,
          volumes: [fence],
          containers: [container('main', 'serve', { ...readiness, env: [identity] })],
        },
      },
    },
  };
}

export function settingsManifest(greeting: string): V1ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: settingsName },
    data: { greeting },
  };
}
