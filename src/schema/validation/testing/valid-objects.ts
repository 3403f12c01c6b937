/** One valid object a kind, by `group/resource` (and version), as a client may send it. */
type Json = Record<string, unknown>;

const labels = { app: 'a' };
const selector = { matchLabels: labels };
const container = { name: 'main', image: 'busybox:1' };
const template = { metadata: { labels }, spec: { containers: [container] } };
const jobTemplate = {
  metadata: { labels },
  spec: { containers: [container], restartPolicy: 'Never' },
};
const uid = '6f5c2f4e-7a43-4c8f-9c1b-0d9f8f2a6c11';
const jobLabels = {
  'controller-uid': uid,
  'job-name': 'a',
  'batch.kubernetes.io/controller-uid': uid,
  'batch.kubernetes.io/job-name': 'a',
};
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const rule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['pods'],
};
const webhook = {
  name: 'check.example.com',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { service: { namespace: 'default', name: 'checker' } },
  rules: [rule],
};
const matchConstraints = { resourceRules: [rule] };
/** Made by openssl for CN=a. */
const signingRequest =
  'MIHHMG4CAQAwDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL+rhIqOYDSziqo05Bb/KPgNnnuB2Bk6qJ6oHThtExxaLo2ZRoHm7FZYJaR77pGfmvwBNC0DkC6zbjjQCtQ10BGgADAKBggqhkjOPQQDAgNJADBGAiEAvzifrtExME7NlPtnwUdyXoe2hr7V7jDZyDI4+rolF/ECIQCH0oOxP9wDSouyeqOTf1BegIa5dpFSIyW+bebObhA7/w==';
const pem = Buffer.from(
  `-----BEGIN CERTIFICATE REQUEST-----\n${signingRequest}\n-----END CERTIFICATE REQUEST-----\n`,
).toString('base64');
const rbac = 'rbac.authorization.k8s.io';
const admission = 'admissionregistration.k8s.io';
const scaleTarget = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };

export const validObjects: Readonly<Record<string, Json>> = {
  '/configmaps': { data: { 'key.txt': 'text' }, binaryData: { bytes: 'AAE=' } },
  '/endpoints': { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  '/events': { involvedObject: { kind: 'Pod', name: 'a', namespace: 'default' } },
  '/limitranges': {
    spec: { limits: [{ type: 'Container', max: { cpu: '2' }, default: { cpu: '1' } }] },
  },
  '/namespaces': { spec: { finalizers: ['kubernetes'] } },
  '/nodes': { spec: { podCIDRs: ['10.42.0.0/24'], taints: [{ key: 'k', effect: 'NoSchedule' }] } },
  '/persistentvolumeclaims': { spec: claimSpec },
  '/persistentvolumes': {
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      hostPath: { path: '/data' },
    },
  },
  '/pods': { spec: template.spec },
  '/podtemplates': { template },
  '/replicationcontrollers': { spec: { selector: labels, template } },
  '/resourcequotas': { spec: { hard: { pods: '10', 'requests.cpu': '4' } } },
  '/secrets': { data: { password: 'AA==' } },
  '/serviceaccounts': {},
  '/services': { spec: { selector: labels, ports: [{ port: 80 }] } },
  'apiregistration.k8s.io/apiservices': {
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 10 },
  },
  'apps/controllerrevisions': { revision: 1, data: { spec: {} } },
  'apps/daemonsets': { spec: { selector, template } },
  'apps/deployments': { spec: { selector, template } },
  'apps/replicasets': { spec: { selector, template } },
  'apps/statefulsets': {
    spec: {
      selector,
      serviceName: 'a',
      template: {
        metadata: { labels },
        spec: {
          containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
    },
  },
  'autoscaling/horizontalpodautoscalers': {
    spec: {
      maxReplicas: 3,
      scaleTargetRef: scaleTarget,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
        },
      ],
    },
  },
  'autoscaling/horizontalpodautoscalers/v1': {
    spec: { maxReplicas: 3, scaleTargetRef: scaleTarget, targetCPUUtilizationPercentage: 80 },
  },
  'batch/cronjobs': {
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: jobTemplate } } },
  },
  'batch/jobs': {
    metadata: { uid },
    spec: {
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: { ...jobTemplate, metadata: { labels: jobLabels } },
    },
  },
  'certificates.k8s.io/certificatesigningrequests': {
    spec: { request: pem, signerName: 'example.com/signer', usages: ['client auth'] },
  },
  'coordination.k8s.io/leases': { spec: { holderIdentity: 'a', leaseDurationSeconds: 15 } },
  'discovery.k8s.io/endpointslices': {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'] }],
    ports: [{ port: 80 }],
  },
  'events.k8s.io/events': {
    eventTime: '2026-01-01T00:00:00.000000Z',
    regarding: { kind: 'Pod', name: 'a', namespace: 'default' },
    reportingController: 'example.com/a',
    reportingInstance: 'a-1',
    action: 'Start',
    reason: 'Started',
    type: 'Normal',
  },
  'flowcontrol.apiserver.k8s.io/flowschemas': {
    spec: {
      matchingPrecedence: 500,
      priorityLevelConfiguration: { name: 'global-default' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'alice' } }],
          nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz/*'] }],
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  },
  'networking.k8s.io/ingressclasses': { spec: { controller: 'example.com/ingress' } },
  'networking.k8s.io/ingresses': {
    spec: {
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'a', port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    },
  },
  'networking.k8s.io/ipaddresses': {
    metadata: { name: '10.43.0.1' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' } },
  },
  'networking.k8s.io/networkpolicies': {
    spec: {
      podSelector: selector,
      ingress: [{ ports: [{ port: 80 }], from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    },
  },
  'networking.k8s.io/servicecidrs': { spec: { cidrs: ['10.43.0.0/16'] } },
  'node.k8s.io/runtimeclasses': { handler: 'runc' },
  'policy/poddisruptionbudgets': { spec: { minAvailable: '50%', selector } },
  [`${rbac}/clusterrolebindings`]: {
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'User', name: 'alice' }],
  },
  [`${rbac}/clusterroles`]: {
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
  },
  [`${rbac}/rolebindings`]: {
    roleRef: { apiGroup: rbac, kind: 'Role', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
  },
  [`${rbac}/roles`]: { rules: [{ verbs: ['*'], apiGroups: ['apps'], resources: ['*'] }] },
  'resource.k8s.io/deviceclasses': { spec: {} },
  'resource.k8s.io/resourceclaims': { spec: {} },
  'resource.k8s.io/resourceclaimtemplates': { spec: { spec: {} } },
  'resource.k8s.io/resourceslices': {
    spec: {
      driver: 'gpu.example.com',
      nodeName: 'a',
      pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
    },
  },
  'scheduling.k8s.io/priorityclasses': { value: 1000 },
  'storage.k8s.io/csidrivers': { spec: {} },
  'storage.k8s.io/csinodes': { spec: { drivers: [{ name: 'd.example.com', nodeID: 'a' }] } },
  'storage.k8s.io/csistoragecapacities': { storageClassName: 'fast', capacity: '1Gi' },
  'storage.k8s.io/storageclasses': { provisioner: 'example.com/local' },
  'storage.k8s.io/volumeattachments': {
    spec: { attacher: 'd.example.com', nodeName: 'a', source: { persistentVolumeName: 'a' } },
  },
  'storage.k8s.io/volumeattributesclasses': {
    driverName: 'd.example.com',
    parameters: { iops: '100' },
  },
  [`${admission}/mutatingadmissionpolicies`]: {
    spec: {
      matchConstraints,
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/spec"}]' },
        },
      ],
    },
  },
  [`${admission}/mutatingadmissionpolicybindings`]: { spec: { policyName: 'a' } },
  [`${admission}/mutatingwebhookconfigurations`]: { webhooks: [webhook] },
  [`${admission}/validatingadmissionpolicies`]: {
    spec: { matchConstraints, validations: [{ expression: 'true' }] },
  },
  [`${admission}/validatingadmissionpolicybindings`]: {
    spec: { policyName: 'a', validationActions: ['Deny'] },
  },
  [`${admission}/validatingwebhookconfigurations`]: { webhooks: [webhook] },
  'apiextensions.k8s.io/customresourcedefinitions': {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object' } },
        },
      ],
    },
    status: { storedVersions: ['v1'] },
  },
};
