import { test } from 'node:test';
import { kindUnderTest } from '../testing/check-kind.ts';

const pods = kindUnderTest('', 'pods', {
  spec: { containers: [{ name: 'main', image: 'busybox', imagePullPolicy: 'Always' }] },
});
const required = 'Required value';

test('containers have names, images, ports and variables in order', () => {
  pods.create([
    [{ 'spec.containers': [] }, `spec.containers: ${required}`],
    [{ 'spec.containers.0.name': '' }, `spec.containers[0].name: ${required}`],
    [
      { 'spec.containers.0.name': 'Main' },
      `spec.containers[0].name: Invalid value: "Main": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
    ],
    [{ 'spec.containers.0.image': undefined }, `spec.containers[0].image: ${required}`],
    [
      { 'spec.containers.0.image': ' busybox' },
      'spec.containers[0].image: Invalid value: " busybox": must not have leading or trailing whitespace',
    ],
    [
      { 'spec.containers.1': { name: 'main', image: 'x' } },
      'spec.containers[1].name: Duplicate value: "main"',
    ],
    [
      { 'spec.containers.0.imagePullPolicy': 'Sometimes' },
      'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
    ],
    [
      { 'spec.containers.0.ports': [{ containerPort: 0 }, { containerPort: 70000 }] },
      `spec.containers[0].ports[0].containerPort: ${required}`,
      'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
    ],
    [
      {
        'spec.containers.0.ports': [
          { containerPort: 1, hostPort: 9 },
          { containerPort: 2, hostPort: 9 },
        ],
      },
      'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"',
    ],
    [
      { 'spec.containers.0.env': [{ name: 'A=B', value: 'x' }] },
      `spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than '='`,
    ],
    [
      { 'spec.containers.0.env': [{ name: 'A', valueFrom: {} }] },
      'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    ],
    [
      {
        'spec.containers.0.env': [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
        ],
      },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
    ],
    [
      {
        'spec.containers.0.env': [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.containers' } } },
        ],
      },
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.containers": error converting fieldPath: field label not supported: spec.containers',
    ],
    [
      { 'spec.containers.0.envFrom': [{}] },
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
  ]);
});

test('requests stay below limits, and huge pages keep company', () => {
  const at = 'spec.containers[0].resources';
  pods.create([
    [{ 'spec.containers.0.resources': { requests: { cpu: '1', memory: '1Gi' } } }],
    [
      { 'spec.containers.0.resources': { requests: { cpu: '2' }, limits: { cpu: '1500m' } } },
      `${at}.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m`,
    ],
    [
      { 'spec.containers.0.resources': { limits: { memory: '-1' } } },
      `${at}.limits[memory]: Invalid value: "-1": must be greater than or equal to 0`,
      `${at}.requests[memory]: Invalid value: "-1": must be greater than or equal to 0`,
    ],
    [
      { 'spec.containers.0.resources': { requests: { 'example.com/gpu': '1' } } },
      `${at}.limits: Required value: Limit must be set for non overcommitable resources`,
    ],
    [
      { 'spec.containers.0.resources': { requests: { gpu: '1' } } },
      `${at}.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
      `${at}.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
    ],
    [
      { 'spec.containers.0.resources': { limits: { 'hugepages-2Mi': '3Mi' } } },
      `${at}.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${at}.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      `${at}: Forbidden: HugePages require cpu or memory`,
    ],
  ]);
});

test('volumes have one source and mounts name a volume', () => {
  const mounts = 'spec.containers[0].volumeMounts';
  pods.create([
    [
      {
        'spec.volumes': [{ name: 'data', emptyDir: {} }],
        'spec.containers.0.volumeMounts': [{ name: 'data', mountPath: '/data' }],
      },
    ],
    [
      { 'spec.containers.0.volumeMounts': [{ name: 'data', mountPath: '/data' }] },
      `${mounts}[0].name: Not found: "data"`,
    ],
    [
      { 'spec.volumes': [{ name: 'data', hostPath: { path: '/a/../b' }, emptyDir: {} }] },
      'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
    ],
    [
      { 'spec.volumes': [{ name: 'data', hostPath: { path: '/a/../b' } }] },
      `spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
    ],
    [
      {
        'spec.volumes': [
          { name: 'x', configMap: { name: '', defaultMode: 512 } },
          { name: 'x', emptyDir: {} },
          { name: 'x', secret: { secretName: 's', items: [{ key: 'a', path: '../a' }] } },
        ],
      },
      `spec.volumes[0].configMap.name: ${required}`,
      'spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      `spec.volumes[2].secret.items[0].path: Invalid value: "../a": must not contain '..'`,
      'spec.volumes[2].name: Duplicate value: "x"',
    ],
    [
      {
        'spec.volumes': [{ name: 'data', emptyDir: {} }],
        'spec.containers.0.volumeMounts': [
          { name: 'data', mountPath: '/data', mountPropagation: 'Bidirectional' },
          { name: 'data', mountPath: '/data', subPath: '/x' },
        ],
      },
      `${mounts}.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
      `${mounts}[1].mountPath: Invalid value: "/data": must be unique`,
      `${mounts}.subPath: Invalid value: "/x": must be a relative path`,
    ],
  ]);
});

test('probes have one handler and sane numbers', () => {
  const at = 'spec.containers[0].livenessProbe';
  pods.create([
    [{ 'spec.containers.0.livenessProbe': { httpGet: { path: '/', port: 'http' } } }],
    [{ 'spec.containers.0.livenessProbe': {} }, `${at}: ${required}: must specify a handler type`],
    [
      { 'spec.containers.0.livenessProbe': { exec: {}, tcpSocket: { port: 80 } } },
      `${at}.exec.command: ${required}`,
      `${at}.tcpSocket: Forbidden: may not specify more than 1 handler type`,
    ],
    [
      {
        'spec.containers.0.livenessProbe': {
          httpGet: { path: '/', port: 0 },
          successThreshold: 2,
          periodSeconds: -1,
        },
      },
      `${at}.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      `${at}.periodSeconds: Invalid value: -1: must be greater than or equal to 0`,
      `${at}.successThreshold: Invalid value: 2: must be 1`,
    ],
    [
      { 'spec.containers.0.lifecycle': { preStop: { sleep: { seconds: 31 } } } },
      'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
    ],
  ]);
});

test('the rest of the spec', () => {
  pods.create([
    [
      { 'spec.restartPolicy': 'Sometimes' },
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
    [
      { 'spec.dnsPolicy': 'None' },
      'spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None',
    ],
    [
      { 'spec.tolerations': [{ operator: 'Equal', value: 'x' }] },
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
    [
      {
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution': {
          nodeSelectorTerms: [],
        },
      },
      'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    ],
    [
      {
        'spec.topologySpreadConstraints': [
          { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'Never' },
        ],
      },
      'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
      'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"',
    ],
    [
      { 'spec.hostAliases': [{ ip: '1.2.3', hostnames: ['a'] }] },
      'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
    [
      { 'spec.securityContext': { runAsUser: -1 } },
      'spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
    [
      { 'spec.nodeName': 'n', 'spec.schedulingGates': [{ name: 'wait' }] },
      'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
    ],
    [
      { 'spec.ephemeralContainers': [{ name: 'debug', image: 'x' }] },
      'spec.ephemeralContainers: Forbidden: cannot be set on create',
    ],
  ]);
});

const mayNot =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';

test('an update of a pod changes images, deadlines and tolerations, and no more', () => {
  pods.update([
    [{}, { 'spec.containers.0.image': 'busybox:2' }],
    [{}, { 'spec.activeDeadlineSeconds': 5 }],
    [{}, { 'spec.tolerations': [{ operator: 'Exists' }] }],
    [{}, { 'spec.nodeName': 'b' }, `${mayNot}- nodeName: "b"\n`],
    [{}, { 'spec.containers.0.args': ['x'] }, `${mayNot}- containers[0].args: ["x"]\n`],
    [
      {},
      { 'spec.containers.1': { name: 'b', image: 'x' } },
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      { 'spec.activeDeadlineSeconds': 5 },
      { 'spec.activeDeadlineSeconds': 6 },
      'spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value',
    ],
    [
      { 'spec.tolerations': [{ operator: 'Exists' }] },
      { 'spec.tolerations': [] },
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
    [
      { 'spec.schedulingGates': [{ name: 'a' }], 'spec.nodeSelector': { x: 'y' } },
      { 'spec.schedulingGates': [], 'spec.nodeSelector': { x: 'y', z: 'z' } },
    ],
    [
      {},
      { 'spec.schedulingGates': [{ name: 'a' }] },
      "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
    ],
    [
      {},
      { 'metadata.annotations': { 'kubernetes.io/config.mirror': 'x' }, 'spec.nodeName': 'n' },
      'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
      `${mayNot}- nodeName: "n"\n`,
    ],
  ]);
});

test('a status write keeps node and class and ends what has ended', () => {
  const done = [
    {
      name: 'main',
      state: { terminated: { exitCode: 0 } },
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
    },
  ];
  const again = [{ ...done[0], state: { running: {} } }];
  const restartedByRule = (action: string): [Record<string, unknown>, Record<string, unknown>] => {
    const restartPolicyRules = [{ action, exitCodes: { operator: 'In', values: [0] } }];
    const container = { name: 'main', image: 'i', restartPolicy: 'Never', restartPolicyRules };
    return [
      {
        'spec.restartPolicy': 'Never',
        'spec.containers': [container],
        'status.containerStatuses': done,
      },
      { 'status.containerStatuses': again },
    ];
  };
  pods.update(
    [
      [
        { 'status.qosClass': 'BestEffort' },
        { 'status.qosClass': 'Burstable' },
        'status.qosClass: Invalid value: "Burstable": field is immutable',
      ],
      [
        { 'spec.restartPolicy': 'Never', 'status.containerStatuses': done },
        { 'status.containerStatuses': again },
        'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
      ],
      [{ 'status.containerStatuses': done }, { 'status.containerStatuses': again }],
      restartedByRule('Restart'),
      restartedByRule('RestartAllContainers'),
      [
        {},
        { 'status.podIPs': [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] },
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
    'status',
  );
});

test('ephemeral containers can be added and then stay', () => {
  const debug = [{ name: 'debug', image: 'busybox' }];
  pods.update(
    [
      [{}, { 'spec.ephemeralContainers': debug }],
      [
        { 'spec.ephemeralContainers': debug },
        { 'spec.ephemeralContainers': [] },
        'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
      ],
    ],
    'ephemeralcontainers',
  );
});

test('a resize changes cpu and memory within a class', () => {
  const of = (cpu: string): object => ({ requests: { cpu } });
  pods.update(
    [
      [{ 'spec.containers.0.resources': of('1') }, { 'spec.containers.0.resources': of('2') }],
      [
        { 'spec.containers.0.resources': of('1') },
        { 'spec.containers.0.resources': {} },
        'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
        'spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed',
      ],
    ],
    'resize',
  );
});
