/**
 * Runs inside the namespaces of a lab machine beside k3ts: churns, kills, compares, and says on its
 * standard output what it finds, a line of JSON each. Its argument is a SoakPlan; the caller starts
 * the server again when asked to and answers with a line.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { seededRandom } from '#base/random.ts';
import { createChurn } from './churn.ts';
import { compareWithDesired, silentServices } from './convergence.ts';
import { createDesired } from './desired.ts';
import { endsServer, faultPlan, strike } from './faults.ts';
import { createLatencyMeter } from './latency.ts';
import { leaksSince, readMachineState, shorten, type MachineState } from './machine-state.ts';
import { fenceDirectory, namespace } from './manifests.ts';
import { growth, readSizes, settleMemory, type Sizes } from './memory.ts';
import type { SoakMessage, SoakPlan } from './report.ts';
import { createSoakApi } from './soak-api.ts';
import { findStrays } from './strays.ts';

/** Back-off of crashing pods and the collection of dead containers, each minute, are in this. */
const convergeMs = 150_000;
const clearMs = 150_000;
/** Before the churn: nothing but the start has to settle. */
const baseSeconds = 45;
const warmUpPods = 12;
/** What takes longer is told while it does. */
const patienceMs = 10_000;

const plan = JSON.parse(process.argv[2] ?? '{}') as SoakPlan;
const say = (message: SoakMessage): void =>
  void process.stdout.write(`${JSON.stringify(message)}\n`);
const beginMs = systemClock.monotonicMs();
const progress = (text: string): void => {
  const seconds = Math.round((systemClock.monotonicMs() - beginMs) / 1000);
  say({ progress: `${String(seconds).padStart(4)} s  ${text}` });
};
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const random = seededRandom(plan.seed);
const api = createSoakApi(namespace);
const desired = createDesired();
const latency = createLatencyMeter(api.config);
const churn = createChurn({
  api,
  desired,
  random,
  podCount: plan.pods,
  thinkMs: plan.thinkMs,
  onCreated: latency.onCreated,
  onDeleted: latency.onDeleted,
});
const problems: string[] = [];
const convergedMs: number[] = [];

const fail = (when: string, found: readonly string[]): void => {
  for (const one of found) {
    problems.push(`${when}: ${one}`);
    progress(`WRONG ${when}: ${one}`);
  }
};

/** Asks until nothing is wrong; at the bound, what still is. */
async function settle(limitMs: number, find: () => Promise<readonly string[]>) {
  const startMs = systemClock.monotonicMs();
  let saidMs = 0;
  for (;;) {
    const found = await find().catch((error: unknown) => [messageOf(error)]);
    const tookMs = Math.round(systemClock.monotonicMs() - startMs);
    if (found.length === 0 || tookMs > limitMs) return { found, tookMs };
    if (tookMs > saidMs + patienceMs) {
      saidMs = tookMs;
      progress(`still after ${tookMs} ms: ${shorten(found)}`);
    }
    await systemClock.sleep(500);
  }
}

async function converge(when: string): Promise<void> {
  const { found, tookMs } = await settle(convergeMs, async () => {
    const { pods, differences } = await compareWithDesired(api, desired);
    return differences.length > 0 ? differences : await silentServices(api, desired, pods);
  });
  convergedMs.push(tookMs);
  fail(when, found);
  const strays = await settle(convergeMs, async () => {
    return await findStrays((await compareWithDesired(api, desired)).pods);
  });
  fail(when, strays.found);
  progress(`${when}: as wanted after ${tookMs} ms, nothing astray after ${strays.tookMs} ms more`);
}

/** What the containers themselves complained about. */
async function violations(): Promise<string[]> {
  const text = await readFile(`${fenceDirectory}/violations`, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function makeNamespace(): Promise<void> {
  await mkdir(`${fenceDirectory}/locks`, { recursive: true });
  await mkdir(`${fenceDirectory}/starts`, { recursive: true });
  const body = { metadata: { name: namespace } };
  await api.persist('create the namespace', () => api.core.createNamespace({ body }), [409]);
}

/** Deletes everything and waits until the machine is as before. */
async function clear(when: string, base: MachineState | undefined): Promise<void> {
  const remove = () => api.core.deleteNamespace({ name: namespace });
  await api.persist('delete the namespace', remove, [404]);
  const gone = await settle(clearMs, async () => {
    const { items } = await api.core.listNamespace();
    const pods = (await api.core.listNamespacedPod({ namespace })).items;
    if (!items.some(({ metadata }) => metadata?.name === namespace)) return [];
    return [`the namespace is still there, with ${pods.length} pods`];
  });
  fail(when, gone.found);
  churn.forget();
  progress(`${when}: everything deleted after ${gone.tookMs} ms`);
  if (base === undefined) return;
  const clean = await settle(clearMs, async () => leaksSince(base, await readMachineState()));
  fail(`${when}: leaked`, clean.found);
  progress(`${when}: the machine is as before after ${clean.tookMs} ms more`);
}

async function churnFor(seconds: number): Promise<void> {
  const endMs = systemClock.monotonicMs() + seconds * 1000;
  churn.resume();
  while (systemClock.monotonicMs() < endMs) {
    await systemClock.sleep(Math.min(15_000, Math.max(1, endMs - systemClock.monotonicMs())));
    const { start, end } = latency.results();
    const done = Object.values(churn.counts()).reduce((sum, count) => sum + count, 0);
    const sizes = await readSizes();
    progress(
      `${done} actions; ${start.count} starts ${start.p50Ms}/${start.p90Ms} ms, ` +
        `${end.count} ends ${end.p50Ms}/${end.p90Ms} ms (p50/p90); ` +
        `server ${sizes['server']?.rssMb} MB, agent ${sizes['agent']?.rssMb} MB`,
    );
  }
  await churn.pause();
}

async function runFaults(): Promise<void> {
  for (const [round, kind] of faultPlan(plan.faults, random).entries()) {
    churn.resume();
    await systemClock.sleep(500 + random.integer(4000));
    latency.disturb();
    const count = await strike(kind, random);
    progress(`round ${round + 1} of ${plan.faults}: killed ${kind} (${count} processes)`);
    if (endsServer(kind)) {
      await systemClock.sleep(random.integer(2000));
      say({ restart: true });
      await answers.next();
    }
    await systemClock.sleep(random.integer(3000));
    await churn.pause();
    await converge(`round ${round + 1}, ${kind}`);
    fail(`round ${round + 1}, ${kind}`, (await violations()).slice(0, 5));
    if (problems.length > 20) return;
  }
}

/** Deletes what a few pods of each kind need, so that what comes with the first ones counts as base. */
async function warmUp(): Promise<{ state: MachineState; sizes: Sizes }> {
  await makeNamespace();
  await churn.fill(warmUpPods);
  await converge('warm-up');
  await clear('warm-up', undefined);
  const { found } = await settle(clearMs, async () => {
    const {
      tasks = [],
      netns = [],
      'pod directories': directories = [],
    } = await readMachineState();
    return [...tasks, ...netns, ...directories];
  });
  fail('warm-up', found);
  return {
    state: await readMachineState(),
    sizes: await settleMemory(Math.min(plan.settleSeconds, baseSeconds)),
  };
}

async function main(): Promise<void> {
  const base = await warmUp();
  await makeNamespace();
  await churn.fill(plan.pods);
  await converge('full');
  const full = await readSizes();
  progress(`${plan.pods} pods: ${JSON.stringify(full)}`);
  if (plan.seconds > 0) {
    await churnFor(plan.seconds);
    await converge('after the churn');
  }
  await runFaults();
  fail('containers', await violations());
  fail('answers', churn.problems);
  await clear('end', base.state);
  const after = await settleMemory(plan.settleSeconds);
  if (plan.settleSeconds > 0) fail('memory', growth(base.sizes, after));
  const { start, end } = latency.results();
  latency.close();
  const sizes = { base: base.sizes, full, after };
  const actions = churn.counts();
  say({
    report: { problems, actions, unanswered: api.unanswered(), start, end, convergedMs, sizes },
  });
}

await main();
process.exit();
