import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const required = 'Required value';
const immutable = 'field is immutable';
const claimText =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n';

test('PersistentVolumeClaim', () => {
  const claims = validKind('', 'persistentvolumeclaims');
  claims.create([
    [
      { 'spec.accessModes': ['ReadWriteOncePod', 'ReadOnlyMany'] },
      'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
    ],
    [
      { 'spec.accessModes': ['Sometimes'] },
      'spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ],
    [{ 'spec.resources': {} }, `spec.resources[storage]: ${required}`],
    [
      { 'spec.resources.requests.storage': '0' },
      'spec.resources[storage]: Invalid value: "0": must be greater than zero',
    ],
    [
      { 'spec.volumeMode': 'Tape' },
      'spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"',
    ],
    [
      {
        'spec.dataSource': { kind: 'Volume', name: 'a' },
        'spec.dataSourceRef': { kind: 'Volume', name: 'a' },
      },
      'spec.dataSource: Invalid value: "Volume": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      'spec.dataSourceRef: Invalid value: "Volume": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
    ],
  ]);
  const bound = { 'status.phase': 'Bound', 'status.capacity': { storage: '1Gi' } };
  claims.update([
    [{}, { 'spec.volumeName': 'pv' }],
    [{}, { 'spec.storageClassName': 'fast' }],
    [bound, { 'spec.resources.requests.storage': '2Gi' }],
    [
      {},
      { 'spec.accessModes': ['ReadOnlyMany'] },
      `${claimText}- accessModes[0]: "ReadOnlyMany"\n+ accessModes[0]: "ReadWriteOnce"\n`,
    ],
    [
      { ...bound, 'spec.resources.requests.storage': '3Gi' },
      { 'spec.resources.requests.storage': '1Gi' },
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ],
    [
      { 'spec.volumeName': 'pv' },
      { 'spec.volumeName': 'other' },
      `${claimText}- volumeName: "other"\n+ volumeName: "pv"\n`,
    ],
  ]);
});

test('PersistentVolume', () => {
  const volumes = validKind('', 'persistentvolumes');
  volumes.create([
    [{ 'spec.hostPath': undefined }, 'spec: Required value: must specify a volume type'],
    [
      { 'spec.nfs': { server: 's', path: '/p' } },
      'spec.nfs: Forbidden: may not specify more than 1 volume type',
    ],
    [
      { 'spec.capacity': { storage: '1Gi', cpu: '1' } },
      'spec.capacity: Unsupported value: {"storage":"1Gi","cpu":"1"}: supported values: "storage"',
    ],
    [
      { 'spec.hostPath': undefined, 'spec.local': { path: '/d' } },
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ],
    [
      { 'spec.hostPath': undefined, 'spec.csi': { driver: 'd', volumeHandle: '' } },
      `spec.csi.volumeHandle: ${required}`,
    ],
    [
      { 'spec.persistentVolumeReclaimPolicy': 'Shred' },
      'spec.persistentVolumeReclaimPolicy: Unsupported value: "Shred": supported values: "Delete", "Recycle", "Retain"',
    ],
  ]);
  volumes.update([
    [{}, { 'spec.persistentVolumeReclaimPolicy': 'Delete', 'spec.storageClassName': 'slow' }],
    [
      {},
      { 'spec.hostPath.path': '/other' },
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n- hostPath.path: "/other"\n+ hostPath.path: "/data"\n',
    ],
    [{}, { 'spec.volumeMode': 'Block' }, `volumeMode: Invalid value: "Block": ${immutable}`],
  ]);
});

test('StorageClass and VolumeAttributesClass', () => {
  const classes = validKind('storage.k8s.io', 'storageclasses');
  classes.create([
    [{ provisioner: '' }, `provisioner: ${required}`],
    [
      { reclaimPolicy: 'Recycle' },
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
    ],
    [
      { volumeBindingMode: 'Later' },
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ],
    [
      { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'a'] }] }] },
      'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
    ],
  ]);
  classes.update([
    [{}, { allowVolumeExpansion: true }],
    [{}, { parameters: { a: 'b' } }, `parameters: Invalid value: {"a":"b"}: ${immutable}`],
    [{}, { reclaimPolicy: 'Retain' }, `reclaimPolicy: Invalid value: "Retain": ${immutable}`],
  ]);
  validKind('storage.k8s.io', 'volumeattributesclasses').update([
    [
      {},
      { parameters: { iops: '1' } },
      'parameters: Forbidden: updates to parameters are forbidden.',
    ],
  ]);
});

test('VolumeAttachment, CSIDriver, CSINode and CSIStorageCapacity', () => {
  const attachments = validKind('storage.k8s.io', 'volumeattachments');
  attachments.create([
    [
      { 'spec.source': {} },
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
  ]);
  const drivers = validKind('storage.k8s.io', 'csidrivers');
  drivers.create([
    [
      { 'spec.fsGroupPolicy': 'Any' },
      'spec.fsGroupPolicy: Unsupported value: "Any": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
    [
      { 'spec.tokenRequests': [{ audience: 'a', expirationSeconds: 5 }] },
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes',
    ],
  ]);
  drivers.update([
    [
      {},
      { 'spec.attachRequired': false },
      `spec.attachedRequired: Invalid value: false: ${immutable}`,
    ],
  ]);
  const nodes = validKind('storage.k8s.io', 'csinodes');
  nodes.create([[{ 'spec.drivers.0.nodeID': '' }, `spec.drivers[0].nodeID: ${required}`]]);
  nodes.update([
    [{}, { 'spec.drivers.0.allocatable': { count: 3 } }],
    [
      {},
      { 'spec.drivers.0.nodeID': 'b' },
      `spec.drivers: Invalid value: {"name":"d.example.com","nodeID":"b"}: ${immutable}`,
    ],
  ]);
  validKind('storage.k8s.io', 'csistoragecapacities').create([
    [{ capacity: '-1' }, 'capacity: Invalid value: "-1": must be greater than or equal to 0'],
  ]);
});
