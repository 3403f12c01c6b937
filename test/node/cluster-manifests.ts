/** Pods of the workload journey that are too long for their test. */

/** Prints one `name=value` line for each way of getting something into a pod. */
export const configuredPod = `
apiVersion: v1
kind: Pod
metadata: { name: configured, labels: { app: configured } }
spec:
  restartPolicy: Never
  securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 2000 }
  initContainers:
  - name: first
    image: docker.io/test/busybox:1
    command: [sh, -c, 'printf first >/pot/order']
    volumeMounts: [{ name: pot, mountPath: /pot }]
  - name: second
    image: docker.io/test/busybox:1
    command: [sh, -c, 'printf " second" >>/pot/order']
    volumeMounts: [{ name: pot, mountPath: /pot }]
  containers:
  - name: main
    image: docker.io/test/busybox:1
    command:
    - sh
    - -c
    - |
      echo "init=$(cat /pot/order)"
      echo "file=$(cat /settings/greeting)"
      echo "subPath=$(cat /single)"
      echo "secret=$(cat /vault/password) $(ls -lL /vault/password | cut -c1-10)"
      echo "projected=$(cat /all/deep/greeting) $(cat /all/labels) $(cat /all/cpu)"
      account=/var/run/secrets/kubernetes.io/serviceaccount
      echo "token=$(cat $account/namespace) $(tr . '\\n' <$account/token | grep -c .)"
      echo "environment=$GREETING $PASSWORD $NODE $CPU $EXPANDED $ALL_greeting"
      echo "memory=$(df /memory | tail -n 1 | tr -s ' ' | cut -d' ' -f2)"
      echo "user=$(id -u):$(id -g) $(stat -c %g /pot)"
      echo "readOnly=$(touch /settings/x 2>/dev/null || echo refused)"
      cgroup=/sys/fs/cgroup
      if [ -e $cgroup/memory.max ]; then
        echo "limits=$(cat $cgroup/memory.max) $(cut -d' ' -f1 $cgroup/cpu.max)"
      else
        echo "limits=$(cat $cgroup/memory/memory.limit_in_bytes) $(cat $cgroup/cpu/cpu.cfs_quota_us)"
      fi
      echo the last word >/dev/termination-log
    env:
    - { name: GREETING, valueFrom: { configMapKeyRef: { name: settings, key: greeting } } }
    - { name: PASSWORD, valueFrom: { secretKeyRef: { name: vault, key: password } } }
    - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
    - { name: CPU, valueFrom: { resourceFieldRef: { resource: limits.cpu, divisor: 1m } } }
    - { name: EXPANDED, value: $(GREETING)-x }
    envFrom: [{ prefix: ALL_, configMapRef: { name: settings } }]
    resources: { requests: { cpu: 100m }, limits: { cpu: 200m, memory: 64Mi } }
    volumeMounts:
    - { name: pot, mountPath: /pot }
    - { name: memory, mountPath: /memory }
    - { name: settings, mountPath: /settings }
    - { name: settings, mountPath: /single, subPath: greeting }
    - { name: vault, mountPath: /vault }
    - { name: all, mountPath: /all }
  volumes:
  - { name: pot, emptyDir: {} }
  - { name: memory, emptyDir: { medium: Memory, sizeLimit: 8Mi } }
  - { name: settings, configMap: { name: settings } }
  - { name: vault, secret: { secretName: vault, defaultMode: 0400 } }
  - name: all
    projected:
      sources:
      - configMap: { name: settings, items: [{ key: greeting, path: deep/greeting }] }
      - downwardAPI:
          items:
          - { path: labels, fieldRef: { fieldPath: metadata.labels } }
          - path: cpu
            resourceFieldRef: { containerName: main, resource: limits.cpu, divisor: 1m }
`;

/** Two containers: one whose liveness ends after a while, one that passes all kinds of probes. */
export const probedPod = `
apiVersion: v1
kind: Pod
metadata: { name: probed }
spec:
  containers:
  - name: bad
    image: docker.io/test/busybox:1
    command:
    - sh
    - -c
    - trap 'exit 0' TERM; touch /tmp/ok; sleep 3 & wait; rm /tmp/ok; while :; do sleep 1 & wait; done
    livenessProbe: { exec: { command: [cat, /tmp/ok] }, periodSeconds: 1, failureThreshold: 1 }
  - name: good
    image: docker.io/test/web:1
    env: [{ name: PORT, value: '8081' }]
    startupProbe: { exec: { command: [cat, /www/healthz] }, periodSeconds: 1 }
    livenessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1 }
    readinessProbe:
      httpGet: { path: /healthz, port: 8081 }
      periodSeconds: 1
      failureThreshold: 1
`;
