/**
 * A node that is killed at its worst moment, again and again: nothing acknowledged is lost, nothing is
 * there twice, containers go on, and clients that stayed see the truth. K3TS_KILL_ROUNDS sets the
 * number of rounds.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { fixtures } from '../fixtures/images.ts';
import { labProblem, startNode, waitFor, type TestNode } from '../harness/mod.ts';

const skip = await labProblem();
const rounds = Number(process.env['K3TS_KILL_ROUNDS'] ?? 5);
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  node = await startNode({ images: [await fixtures.web()] });
  await node.waitReady();
  await node.kubectl(['create', 'deployment', 'web', '--image=docker.io/test/web:1', '-r', '2']);
  await node.kubectl(['rollout', 'status', 'deployment', 'web', '--timeout=100s']);
});
after(async () => await node?.close());

/** Container ids and restarts as the API has them, by pod. */
async function reported(): Promise<string[]> {
  const fields = '{.metadata.name} {.containerID} {.restartCount}'
    .replace('{.containerID}', '{.status.containerStatuses[0].containerID}')
    .replace('{.restartCount}', '{.status.containerStatuses[0].restartCount}');
  const path = `jsonpath={range .items[*]}${fields}{"\\n"}{end}`;
  const lines = await node.kubectl(['get', 'pods', '-l', 'app=web', '-o', path]);
  return lines.trim().split('\n').sort();
}

/** Ids of the running tasks as containerd has them: containers and sandboxes. */
async function running(): Promise<string[]> {
  const args = ['-a', '/run/k3s/containerd/containerd.sock', '-n', 'k8s.io', 'task', 'ls'];
  const { stdout } = await node.run('ctr', args);
  const lines = stdout.split('\n').filter((line) => line.includes('RUNNING'));
  return lines.map((line) => line.split(/\s+/)[0] ?? '').sort();
}

/** How often a kubelet took over this node. */
async function kubeletStarts(): Promise<number> {
  return (await node.log()).split('k3ts agent is up and running').length - 1;
}

interface Check {
  lost: string[];
  stale: string[];
  allAcknowledged: number;
  present: number;
  restarts: number[];
}

/** The program with the informers, on the machine. */
async function startClient() {
  const into = ['-t', String(node.machine.initPid), '-m', '-n', '--'];
  const program = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const child = spawn(
    'nsenter',
    [...into, ...program, join(import.meta.dirname, 'restart-client.ts')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = once(child, 'exit').then(() => assert.fail('the client ended'));
  ended.catch(() => undefined);
  type Message = {
    ready?: true;
    acknowledged?: number;
    storm?: { acknowledged: number; refused: number };
    check?: Check;
  };
  const waiting = new Set<(message: Message) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    for (const listener of waiting) listener(JSON.parse(line) as Message);
  });
  const message = async <T>(pick: (message: Message) => T | undefined): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<T>();
    const listener = (said: Message): void => {
      const value = pick(said);
      if (value === undefined) return;
      waiting.delete(listener);
      resolve(value);
    };
    waiting.add(listener);
    return await Promise.race([promise, ended]);
  };
  await message(({ ready }) => ready);
  return {
    /** Begins 200 creates at a time; resolves after the given number of acknowledgements. */
    async storm(round: number, count: number) {
      const reached = message(({ acknowledged = 0 }) => (acknowledged >= count ? true : undefined));
      const ended = message(({ storm }) => storm);
      child.stdin.write(`storm ${round}\n`);
      await reached;
      return { ended };
    },
    async check() {
      const answer = message(({ check }) => check);
      child.stdin.write('check\n');
      return await answer;
    },
    async close() {
      const exit = once(child, 'exit');
      child.stdin.end();
      await exit;
    },
  };
}

test(
  'SIGTERM ends the server soon and leaves the containers running',
  { skip },
  async (context) => {
    const [pods, tasks, starts] = [await reported(), await running(), await kubeletStarts()];
    assert.equal(tasks.length, 4, 'two containers in two sandboxes');
    const beginMs = systemClock.monotonicMs();
    await node.stop();
    const tookMs = systemClock.monotonicMs() - beginMs;
    context.diagnostic(`stopped in ${Math.round(tookMs)} ms`);
    // soon: far less than the pods' grace periods
    assert.ok(tookMs < 20_000, `${tookMs} ms`);
    const [address = ''] =
      (await node.machine.sh('ip -4 -o addr show cni0')).match(/10\.42\.\d+\./) ?? [];
    const answers = await node.machine.sh(
      `for i in 2 3; do timeout 3 busybox wget -qO- http://${address}$i/; done`,
    );
    assert.match(answers, /^web-.*\nweb-.*\n$/, 'both go on answering');
    await node.restart();
    await waitFor('the kubelet', async () => (await kubeletStarts()) > starts);
    await node.waitReady();
    assert.deepEqual(await running(), tasks);
    assert.deepEqual(await reported(), pods);
  },
);

test(
  `kill -9 during 200 creates, ${rounds} rounds`,
  { skip, timeout: rounds * 60_000 },
  async (context) => {
    const [pods, tasks] = [await reported(), await running()];
    const client = await startClient();
    const summary: object[] = [];
    for (let round = 0; round < rounds; round++) {
      const starts = await kubeletStarts();
      // At another moment each time; each second time the runtime dies as well.
      const { ended } = await client.storm(round, 10 + ((round * 370) % 1000));
      await (round % 2 === 0 ? node.kill9() : node.kill9All());
      const storm = await ended;
      const beginMs = systemClock.monotonicMs();
      await node.restart();
      const { lost, stale, ...numbers } = await client.check();
      const readyMs = Math.round(systemClock.monotonicMs() - beginMs);
      summary.push({ round, ...storm, ...numbers, readyMs });
      context.diagnostic(JSON.stringify(summary.at(-1)));
      assert.ok(storm.refused > 0, `round ${round}: killed while creates were under way`);
      assert.deepEqual(lost, [], `round ${round}: every acknowledged object is there, once`);
      assert.deepEqual(stale, [], `round ${round}: informers show what a fresh list shows`);
      await waitFor('the kubelet', async () => (await kubeletStarts()) > starts);
      await node.waitReady();
      assert.deepEqual(await running(), tasks, `round ${round}: containers go on`);
      assert.deepEqual(await reported(), pods);
    }
    await client.close();
  },
);
