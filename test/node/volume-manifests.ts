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
