import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode } from '../harness/mod.ts';
import type { TestNode } from '../harness/mod.ts';

const skip = await labProblem();

const manifest = `apiVersion: v1
kind: Pod
metadata: {name: talk}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: shell
    image: docker.io/test/busybox:1
    stdin: true
    command: [/bin/sh, -c, 'echo hello; echo trouble >&2; while read line; do echo "got $line"; done; sleep 1000']
  - name: web
    image: docker.io/test/web:1
`;

/** One way for clients to speak: kubectl's own, and that of kubectl before 1.30. */
const wires = [
  { name: 'WebSocket', env: {} },
  {
    name: 'SPDY',
    env: {
      KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false',
      KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false',
    },
  },
];

const kubectl = 'kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml';

test('exec, attach, cp, port-forward and logs', { skip }, async (context) => {
  await using node = await startNode({
    images: [await fixtures.busybox(), await fixtures.web()],
  });
  await node.waitReady();
  await node.apply(manifest);
  await node.kubectl(['wait', '--for=condition=Ready', 'pod/talk', '--timeout=100s']);

  for (const { name, env } of wires) {
    const sh = async (script: string): Promise<string> => {
      const names = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const exports = names.length === 0 ? '' : `export ${names.join(' ')}; `;
      return await node.machine.sh(exports + script.replaceAll('kubectl', kubectl));
    };
    await context.test(`exec over ${name}`, async () => await execTests(sh));
    await context.test(`attach over ${name}`, async () => {
      const text = await sh(
        '(echo one; sleep 1) | timeout 10 kubectl attach -i talk -c shell || true',
      );
      assert.match(text, /got one/);
    });
    await context.test(`cp over ${name}`, async () => {
      const text = await sh(
        `head -c 3000000 /dev/urandom >/run/sent
         kubectl cp /run/sent talk:/tmp/copy -c shell
         kubectl cp talk:/tmp/copy /run/received -c shell >/dev/null
         cmp /run/sent /run/received && echo same`,
      );
      assert.match(text, /same/);
    });
    await context.test(`port-forward over ${name}`, async () => {
      const text = await sh(
        `: >/run/forward.log # what an earlier one said is no answer
         kubectl port-forward talk 18080:80 >>/run/forward.log 2>&1 & pid=$!
         for i in $(seq 100); do grep -q Forwarding /run/forward.log && break; sleep 0.3; done
         for i in 1 2 3; do wget -qO- http://127.0.0.1:18080/healthz 2>&1 || curl -s http://127.0.0.1:18080/healthz; done
         kill $pid; cat /run/forward.log`,
      );
      assert.match(text, /ok[\s\S]*ok[\s\S]*ok/);
    });
  }

  await context.test('logs', async () => await logTests(node));
  await context.test('proxy, stats and access', async () => await kubeletTests(node));
});

async function execTests(sh: (script: string) => Promise<string>): Promise<void> {
  const run = 'kubectl exec talk -c shell';
  assert.equal(await sh(`${run} -- echo hello`), 'hello\n');
  assert.equal(await sh(`${run} -- sh -c 'echo out; echo err >&2' 2>/dev/null`), 'out\n');
  assert.match(await sh(`${run} -- sh -c 'exit 3' 2>&1; echo code $?`), /code 3/);
  assert.equal(await sh(`printf 'a\\nb\\n' | kubectl exec -i talk -c shell -- wc -l`), '2\n');
  assert.match(await sh(`kubectl exec nobody -- true 2>&1; true`), /pods "nobody" not found/);
  assert.match(
    await sh(`${run} -- /no/such/program 2>&1; echo code $?`),
    /no such file or directory[\s\S]*code 1/,
  );
  const terminal = await sh(
    `script -qec "stty cols 99 rows 33; kubectl exec -it talk -c shell -- sh -c 'until stty size 2>/dev/null | grep 33; do sleep 0.05; done; tty'" /dev/null </dev/null`,
  );
  assert.match(terminal, /33 99\r?\n\/dev\/pts/);
}

async function logTests(node: TestNode): Promise<void> {
  const logs = async (...args: string[]): Promise<string> =>
    await node.kubectl(['logs', 'talk', '-c', 'shell', ...args]);
  assert.match(await logs(), /hello/);
  assert.match(await logs('--tail=1'), /^[^\n]*\n$/);
  assert.match(await logs('--timestamps'), /^20\d\d-[^ ]{25,31} hello\n/m);
  assert.equal(await logs('--limit-bytes=3', '--tail=-1'), (await logs()).slice(0, 3));
  const text = await node.machine.sh(
    `(sleep 1; echo late | ${kubectl} exec -i talk -c shell -- sh -c 'cat >/proc/1/fd/1') &
     timeout 4 ${kubectl} logs -f --tail=1 talk -c shell; true`,
  );
  assert.match(text, /late/);
  const refused = await node.machine.sh(`${kubectl} logs talk -c none 2>&1; true`);
  assert.match(refused, /container none is not valid for pod talk/);
}

async function kubeletTests(node: TestNode): Promise<void> {
  const raw = async (path: string): Promise<string> => await node.kubectl(['get', '--raw', path]);
  const name = node.machine.name;
  assert.equal(await raw(`/api/v1/nodes/${name}/proxy/healthz`), 'ok');
  assert.match(await raw('/api/v1/namespaces/default/pods/talk:80/proxy/healthz'), /ok/);
  const summary = JSON.parse(await raw(`/api/v1/nodes/${name}/proxy/stats/summary`)) as {
    node: { memory: { workingSetBytes: number } };
    pods: { podRef: { name: string }; containers: unknown[]; memory: { usageBytes: number } }[];
  };
  assert.ok(summary.node.memory.workingSetBytes > 0);
  const pod = summary.pods.find((one) => one.podRef.name === 'talk');
  assert.equal(pod?.containers.length, 2);
  assert.ok((pod?.memory.usageBytes ?? 0) > 0);
  const metrics = await raw(`/api/v1/nodes/${name}/proxy/metrics/resource`);
  assert.match(metrics, /container_memory_working_set_bytes\{container="web"/);
  assert.equal(await node.machine.sh('curl -s http://127.0.0.1:10248/healthz'), 'ok');
  const anonymous = await node.machine.sh('curl -sk https://127.0.0.1:10250/pods');
  assert.equal(anonymous, 'Unauthorized');
}
