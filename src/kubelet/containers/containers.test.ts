import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiStatusError } from '#base/api-status-error.ts';
import type { Container, Pod, Service } from '#schema/types.ts';
import { parseResolvConf, podDns } from './dns.ts';
import { containerEnvironment } from './environment.ts';
import type { ObjectReader } from './environment.ts';
import { expandVariables } from './expand.ts';
import { podHostsFile, sandboxHostname } from './hosts-file.ts';
import { cpuQuota, cpuShares, oomScoreAdj } from './linux-resources.ts';
import { containerSecurityContext } from './security.ts';
import { containerMounts } from './mounts.ts';

function podWith(container: Container, more: Partial<NonNullable<Pod['spec']>> = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'x' } },
    spec: { nodeName: 'node-1', containers: [container], ...more },
  };
}

test('expands variables as upstream: doubled dollars, unknown names, one pass', () => {
  const values: Record<string, string> = { A: '1', B: '$(A)' };
  const table: [string, string][] = [
    ['$(A)', '1'],
    ['$(B)', '$(A)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$(NONE)', '$(NONE)'],
    ['$A $(A', '$A $(A'],
    ['x$', 'x$'],
    ['$(A)$(A)', '11'],
  ];
  for (const [text, expected] of table) {
    assert.equal(
      expandVariables(text, (name) => values[name]),
      expected,
      text,
    );
  }
});

const services: Service[] = [
  {
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.43.0.1', ports: [{ name: 'https', port: 443 }] },
  },
  {
    metadata: { name: 'my-svc', namespace: 'ns' },
    spec: {
      clusterIP: '10.43.0.7',
      ports: [{ port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }],
    },
  },
  { metadata: { name: 'headless', namespace: 'ns' }, spec: { clusterIP: 'None' } },
  { metadata: { name: 'other', namespace: 'elsewhere' }, spec: { clusterIP: '10.43.0.8' } },
];

const missing = (kind: string, name: string) =>
  new ApiStatusError({ httpCode: 404, reason: 'NotFound', message: `${kind} "${name}" not found` });
const objects: ObjectReader = {
  async configMap(namespace, name) {
    if (name !== 'conf') throw missing('configmaps', name);
    return { metadata: { name, namespace }, data: { key: 'value', 'with=sign': 'no' } };
  },
  async secret(namespace, name) {
    if (name !== 'secret') throw missing('secrets', name);
    return {
      metadata: { name, namespace },
      data: { key: Buffer.from('hidden').toString('base64') },
    };
  },
};

async function environmentOf(container: Partial<Container>, isLinked = true) {
  const whole = { name: 'c', ...container };
  const environment = await containerEnvironment({
    pod: podWith(whole, { enableServiceLinks: isLinked }),
    container: whole,
    podIps: ['10.42.0.5', 'fd00::5'],
    hostIps: ['10.0.0.1'],
    services,
    objects,
    allocatable: { cpu: '2', memory: '1Gi' },
  });
  return Object.fromEntries(environment);
}

test('service variables are those of Docker links, own namespace and kubernetes only', async () => {
  const environment = await environmentOf({});
  assert.deepEqual(environment, {
    KUBERNETES_SERVICE_HOST: '10.43.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    KUBERNETES_SERVICE_PORT_HTTPS: '443',
    KUBERNETES_PORT: 'tcp://10.43.0.1:443',
    KUBERNETES_PORT_443_TCP: 'tcp://10.43.0.1:443',
    KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
    KUBERNETES_PORT_443_TCP_PORT: '443',
    KUBERNETES_PORT_443_TCP_ADDR: '10.43.0.1',
    MY_SVC_SERVICE_HOST: '10.43.0.7',
    MY_SVC_SERVICE_PORT: '80',
    MY_SVC_SERVICE_PORT_DNS: '53',
    MY_SVC_PORT: 'tcp://10.43.0.7:80',
    MY_SVC_PORT_80_TCP: 'tcp://10.43.0.7:80',
    MY_SVC_PORT_80_TCP_PROTO: 'tcp',
    MY_SVC_PORT_80_TCP_PORT: '80',
    MY_SVC_PORT_80_TCP_ADDR: '10.43.0.7',
    MY_SVC_PORT_53_UDP: 'udp://10.43.0.7:53',
    MY_SVC_PORT_53_UDP_PROTO: 'udp',
    MY_SVC_PORT_53_UDP_PORT: '53',
    MY_SVC_PORT_53_UDP_ADDR: '10.43.0.7',
  });
  const unlinked = await environmentOf({}, false);
  assert.equal(unlinked['MY_SVC_PORT'], undefined);
  assert.equal(unlinked['KUBERNETES_SERVICE_HOST'], '10.43.0.1');
});

test('variables come from literals, fields, resources, config maps and secrets', async () => {
  const ref = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
  const environment = await environmentOf({
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'conf' } }],
    env: [
      { name: 'A', value: 'x-$(P_key)-$(MY_SVC_SERVICE_HOST)-$(LATER)' },
      { name: 'LATER', value: '1' },
      { name: 'IP', ...ref('status.podIP') },
      { name: 'IPS', ...ref('status.podIPs') },
      { name: 'LABEL', ...ref("metadata.labels['app']") },
      { name: 'MAP', valueFrom: { configMapKeyRef: { name: 'conf', key: 'key' } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'secret', key: 'key' } } },
      { name: 'MAYBE', valueFrom: { secretKeyRef: { name: 'none', key: 'key', optional: true } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      {
        name: 'MILLI',
        valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } },
      },
      {
        name: 'MEMORY',
        valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
      },
    ],
    resources: { requests: { cpu: '250m' } },
  });
  const expected = {
    P_key: 'value',
    A: 'x-value-10.43.0.7-$(LATER)',
    IP: '10.42.0.5',
    IPS: '10.42.0.5,fd00::5',
    LABEL: 'x',
    MAP: 'value',
    SECRET: 'hidden',
    MAYBE: undefined,
    CPU: '2',
    MILLI: '250',
    MEMORY: '1024',
    'P_with=sign': undefined,
  };
  for (const [name, value] of Object.entries(expected))
    assert.equal(environment[name], value, name);
});

test('what is missing is named as upstream names it', async () => {
  const table: [Partial<Container>, string][] = [
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'k' } } }] },
      "couldn't find key k in ConfigMap ns/conf",
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'secret', key: 'k' } } }] },
      "couldn't find key k in Secret ns/secret",
    ],
    [
      {
        env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'k', path: 'f', volumeName: 'v' } } }],
      },
      'cannot find the volume "v" referenced by FileKeyRef',
    ],
  ];
  for (const [container, message] of table) {
    await assert.rejects(environmentOf(container), { code: 'ContainerConfig', message });
  }
});

test('nobody runs as root who must not', () => {
  const image = { id: 'i', repoTags: [], repoDigests: [], size: 1, username: '', pinned: false };
  const contextOf = (
    container: Partial<Container>,
    more: Partial<typeof image> & { uid?: { value: number } },
  ) => {
    const whole = { name: 'c', ...container };
    const pod = podWith(whole, { securityContext: { runAsNonRoot: true } });
    return containerSecurityContext({
      pod,
      container: whole,
      image: { ...image, ...more },
      seccompRoot: '/seccomp',
      isSeccompDefault: false,
    });
  };
  const where = '(pod: "p_ns(u)", container: c)';
  const table: [Partial<Container>, Partial<typeof image> & { uid?: { value: number } }, string][] =
    [
      [{}, {}, `container has runAsNonRoot and image will run as root ${where}`],
      [{}, { uid: { value: 0 } }, `container has runAsNonRoot and image will run as root ${where}`],
      [
        {},
        { username: 'web' },
        `container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root ${where}`,
      ],
      [
        { securityContext: { runAsUser: 0 } },
        {},
        `container's runAsUser breaks non-root policy ${where}`,
      ],
    ];
  for (const [container, more, message] of table) {
    assert.throws(() => contextOf(container, more), { message });
  }
  assert.deepEqual(contextOf({}, { uid: { value: 7 } }).runAsUser, { value: 7 });
  const open = { securityContext: { runAsNonRoot: false, runAsGroup: 7 } };
  const asRoot = contextOf(open, {});
  assert.deepEqual([asRoot.runAsUser, asRoot.runAsGroup], [{ value: 0 }, { value: 7 }]);
  const asNamed = contextOf(open, { username: 'web' });
  assert.deepEqual([asNamed.runAsUser, asNamed.runAsUsername], [undefined, 'web']);
  const own = contextOf({ securityContext: { runAsNonRoot: false, privileged: true } }, {});
  assert.deepEqual(
    [own.privileged, own.maskedPaths, own.seccomp?.profileType],
    [true, [], 'Unconfined'],
  );
});

test('resolv.conf follows dnsPolicy, dnsConfig and the limits', () => {
  const host = parseResolvConf(
    '# c\nnameserver 1.1.1.1\nsearch example.com. corp\noptions ndots:1\n',
  );
  const settings = { clusterDns: ['10.43.0.10'], clusterDomain: 'cluster.local' };
  const dns = (spec: Partial<NonNullable<Pod['spec']>>) =>
    podDns(podWith({ name: 'c' }, spec), host, settings).config;
  assert.deepEqual(dns({}), {
    servers: ['10.43.0.10'],
    searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com', 'corp'],
    options: ['ndots:5'],
  });
  assert.deepEqual(dns({ hostNetwork: true }), host);
  assert.deepEqual(dns({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }).servers, [
    '10.43.0.10',
  ]);
  const own = {
    nameservers: ['9.9.9.9'],
    searches: ['corp'],
    options: [{ name: 'ndots', value: '2' }],
  };
  assert.deepEqual(dns({ dnsPolicy: 'None', dnsConfig: own }), {
    servers: ['9.9.9.9'],
    searches: ['corp'],
    options: ['ndots:2'],
  });
  const many = podDns(
    podWith({ name: 'c' }, { dnsConfig: { nameservers: ['1', '2', '3'] } }),
    host,
    settings,
  );
  assert.deepEqual(many.config.servers, ['10.43.0.10', '1', '2']);
  assert.equal(
    many.warnings[0]?.message,
    'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.43.0.10 1 2',
  );
  const none = podDns(podWith({ name: 'c' }), host, { ...settings, clusterDns: [] });
  assert.deepEqual(
    [none.config.servers, none.warnings[0]?.reason],
    [['1.1.1.1'], 'MissingClusterDNS'],
  );
});

test('hosts file and host name', () => {
  const pod = podWith(
    { name: 'c' },
    {
      hostname: 'web',
      subdomain: 'sub',
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
    },
  );
  assert.equal(
    podHostsFile(pod, ['10.42.0.5'], 'cluster.local').split('\n').slice(7).join('\n'),
    '10.42.0.5\tweb.sub.ns.svc.cluster.local\tweb\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n',
  );
  assert.equal(sandboxHostname(pod, 'cluster.local'), 'web');
  const long = { ...pod, metadata: { ...pod.metadata, name: `${'a'.repeat(62)}-b` } };
  assert.equal(
    sandboxHostname({ ...long, spec: { containers: [] } }, 'cluster.local'),
    'a'.repeat(62),
  );
});

test('cpu and memory become shares, quota and oom scores', () => {
  assert.deepEqual([0, 1, 250, 1000, 1e6].map(cpuShares), [2, 2, 256, 1024, 262_144]);
  assert.deepEqual(
    [0, 1, 500, 2000].map((milli) => cpuQuota(milli)),
    [0, 1000, 50_000, 200_000],
  );
  const score = (resources: Container['resources']): number => {
    const container = { name: 'c', resources };
    return oomScoreAdj(podWith(container), container, 4 * 2 ** 30);
  };
  const both = { cpu: '1', memory: '1Gi' };
  assert.equal(score(undefined), 1000);
  assert.equal(score({ requests: both, limits: both }), -997);
  assert.equal(score({ requests: { memory: '1Gi' } }), 750);
  assert.equal(score({ requests: { cpu: '1' } }), 999);
  assert.equal(score({ requests: { memory: '4Gi' } }), 3);
});

test('mounts keep spec order, refuse paths that leave the volume and add the managed files', async () => {
  const mountsOf = (volumeMounts: Container['volumeMounts']) =>
    containerMounts({
      podUid: 'u',
      container: { name: 'c', volumeMounts, terminationMessagePath: '/dev/termination-log' },
      mounted: new Map([['v', { hostPath: '/v' }]]),
      volumes: { prepareSubPath: async ({ subPath }) => `/v/${subPath}` },
      environment: new Map([['NAME', 'x']]),
      hostsPath: '/etc-hosts',
      terminationLogPath: '/message',
    });
  const mounts = await mountsOf([
    { name: 'v', mountPath: '/a', readOnly: true },
    { name: 'v', mountPath: '/b', subPathExpr: '$(NAME)/y' },
  ]);
  assert.deepEqual(
    mounts.map(({ hostPath, containerPath, readonly }) => [
      hostPath,
      containerPath,
      readonly ?? false,
    ]),
    [
      ['/v', '/a', true],
      ['/v/x/y', '/b', false],
      ['/etc-hosts', '/etc/hosts', false],
      ['/message', '/dev/termination-log', false],
    ],
  );
  const own = await mountsOf([{ name: 'v', mountPath: '/etc/hosts' }]);
  assert.equal(own.length, 2);
  await assert.rejects(mountsOf([{ name: 'v', mountPath: '/a', subPath: '../x' }]), {
    message: "unable to provision SubPath `../x`: must not contain '..'",
  });
  await assert.rejects(mountsOf([{ name: 'v', mountPath: '/a', subPath: '/x' }]), {
    message: 'error SubPath `/x` must not be an absolute path',
  });
});
