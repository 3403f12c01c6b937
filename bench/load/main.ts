/**
 * The load: runs on the machine of the server it measures, so that it sees its process, and writes
 * one line of JSON for each measurement. `node bench/load/main.ts <phase> [seconds a cell]`.
 */
import type { Measurement } from '../measurement.ts';
import { readTarget } from './connection.ts';
import { createLoad } from './load.ts';
import type { Load } from './load.ts';
import { runPods } from './pods.ts';
import { runGets, runLists } from './reads.ts';
import { runScheduling } from './scheduling.ts';
import { watchStart } from './start-up.ts';
import { runWatches } from './watches.ts';
import { runCreates, runDeletes, runPatches, runUpdates } from './writes.ts';

const kubeconfig = '/etc/rancher/k3s/k3s.yaml';

const phases: Readonly<Record<string, (load: Load, forMs: number) => Promise<void>>> = {
  create: runCreates,
  get: runGets,
  list: runLists,
  patch: runPatches,
  update: runUpdates,
  delete: runDeletes,
  watch: runWatches,
  schedule: runScheduling,
  pods: (load) => runPods(load, 15),
};

function write(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const [phase = '', seconds = '2'] = process.argv.slice(2);
if (phase === 'start' || phase === 'start-node') {
  const hasNode = phase === 'start-node';
  write(await watchStart({ kubeconfig, hasNode, timeoutMs: 60_000 }));
} else {
  const run = phases[phase];
  if (run === undefined) throw new Error(`no such phase: ${phase}`);
  const load = createLoad(readTarget(kubeconfig), (measurement: Measurement) => write(measurement));
  await run(load, Number(seconds) * 1000);
  load.close();
}
