/** The entry of `npm run soak`: a node under churn, with or without kills. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { labProblem } from '../harness/mod.ts';
import { runSoak } from './run-soak.ts';

const usage = `npm run soak -- [--minutes N] [--pods N] [--faults N] [--seed N] [--think ms] [--logs DIR]

--minutes  how long pods churn (10; 0 with --faults)
--pods     as many pods as there may be at a time (110)
--faults   kills N times: agent, containerd, a shim, the server; checks after each
--seed     repeats what another run chose
--think    longest pause between two actions of each of four workers (400)
--logs     where the logs of k3ts and containerd are kept
Needs root. Ends with 1 when something is wrong.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      pods: { type: 'string', default: '110' },
      faults: { type: 'string', default: '0' },
      seed: { type: 'string', default: String(process.pid) },
      think: { type: 'string', default: '400' },
      logs: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stderr.write(usage);
    return 0;
  }
  const problem = await labProblem();
  if (problem !== false) {
    process.stderr.write(`soak: ${problem}\n`);
    return 1;
  }
  const minutes = values.minutes ?? (values.faults === '0' ? '10' : '0');
  const plan = {
    pods: Number(values.pods),
    seconds: Number(minutes) * 60,
    faults: Number(values.faults),
    seed: Number(values.seed),
    thinkMs: Number(values.think),
    // Processes that were killed meanwhile have no base to come back to.
    settleSeconds: values.faults === '0' ? 240 : 0,
  };
  process.stderr.write(`seed ${plan.seed}\n`);
  const report = await runSoak({
    plan,
    progress: (line) => void process.stderr.write(`${line}\n`),
    async onEnd(node) {
      if (values.logs === undefined) return;
      await mkdir(values.logs, { recursive: true });
      await copyFile(
        join(node.lab.directory, `${node.machine.name}.log`),
        join(values.logs, 'k3ts.log'),
      );
      const containerd = '/var/lib/rancher/k3s/agent/containerd/containerd.log';
      await node.run('cp', [containerd, join(values.logs, 'containerd.log')]);
    },
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
  return report.problems.length === 0 ? 0 : 1;
}

process.exitCode = await main();
