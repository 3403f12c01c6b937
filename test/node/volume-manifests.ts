/** Manifests of the volume tests. */

const busybox = 'docker.io/test/busybox:1';

export function claimManifest(name: string, more = ''): string {
  return `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 16Mi } }
  ${more}
`;
}

/** A pod whose container \`main\` runs a script to its end; lists are YAML in one line. */
export function podManifest(pod: {
  name: string;
  script: string;
  volumes: string;
  mounts?: string;
  /** More lines of the container, in one line of YAML each. */
  container?: string;
  /** More lines of the pod's spec. */
  spec?: string;
}): string {
  const { name, script, volumes, mounts = '[]', container = '', spec = '' } = pod;
  return `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  ${spec}
  containers:
  - name: main
    image: ${busybox}
    command: [sh, -c, ${JSON.stringify(script)}]
    volumeMounts: ${mounts}
    ${container}
  volumes: ${volumes}
`;
}

/** A driver, a volume of it, and the claim that has the volume. */
export const csiObjects = `
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: { name: disk.csi.test }
spec:
  podInfoOnMount: true
  fsGroupPolicy: File
  volumeLifecycleModes: [Persistent, Ephemeral]
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: pv-disk }
spec:
  accessModes: [ReadWriteOnce]
  capacity: { storage: 16Mi }
  storageClassName: ''
  claimRef: { namespace: default, name: disk }
  csi: { driver: disk.csi.test, volumeHandle: handle-1, volumeAttributes: { kind: fast } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: disk }
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ''
  volumeName: pv-disk
  resources: { requests: { storage: 16Mi } }
`;

/** A directory of node-1 as a volume of the class `local-disks`, which waits for pods. */
export function localVolume(name: string, path: string): string {
  return `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: local-disks }
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  capacity: { storage: 1Gi }
  storageClassName: local-disks
  persistentVolumeReclaimPolicy: Retain
  local: { path: ${path} }
  nodeAffinity:
    required:
      nodeSelectorTerms:
      - matchExpressions:
        - { key: kubernetes.io/hostname, operator: In, values: [node-1] }
`;
}
