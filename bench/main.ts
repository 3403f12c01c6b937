/** The entry of `npm run bench`: measures k3ts on machines of the test lab. */
import { arch, cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { labProblem } from '../test/harness/mod.ts';
import type { BenchContext } from './cells.ts';
import { runApi, runNode, runScheduler } from './cells.ts';
import type { Measurement } from './measurement.ts';
import { renderLine, renderReport } from './report.ts';

const usage = `npm run bench -- [-o json] [--seconds N] [--starts N] [group…]

groups: node        start-up, memory, idle CPU, pods
        api         every cell of the API, which are:
        read        create, get and list
        write       create, patch, update and delete
        watch       fan-out to watchers
        scheduler   pods on simulated nodes
All of them without a group. Needs root. Progress goes to stderr.
`;

const groups: Readonly<Record<string, (context: BenchContext) => Promise<void>>> = {
  node: runNode,
  api: runApi('create', 'get', 'list', 'patch', 'update', 'delete', 'watch'),
  read: runApi('create', 'get', 'list'),
  write: runApi('create', 'patch', 'update', 'delete'),
  watch: runApi('create', 'watch'),
  scheduler: runScheduler,
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      output: { type: 'string', short: 'o', default: 'table' },
      seconds: { type: 'string', default: '2' },
      starts: { type: 'string', default: '3' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const unknown = positionals.find((name) => !(name in groups));
  if (unknown !== undefined || values.help === true) {
    process.stderr.write(unknown === undefined ? usage : `no such group: ${unknown}\n\n${usage}`);
    return unknown === undefined ? 0 : 2;
  }
  const problem = await labProblem();
  if (problem !== false) {
    process.stderr.write(`bench: ${problem}\n`);
    return 1;
  }
  const measurements: Measurement[] = [];
  const context: BenchContext = {
    seconds: Number(values.seconds),
    starts: Number(values.starts),
    report(measurement) {
      measurements.push(measurement);
      process.stderr.write(renderLine(measurement));
    },
  };
  const loadBefore = loadOfMachine();
  const names = positionals.length > 0 ? positionals : ['node', 'api', 'scheduler'];
  for (const name of names) await groups[name]?.(context);
  const load = { before: loadBefore, after: loadOfMachine() };
  process.stdout.write(
    values.output === 'json'
      ? renderJson(measurements, load)
      : `${renderReport(measurements)}load average of the machine: ${load.before} before, ${load.after} after\n`,
  );
  return measurements.some((one) => (one.problems ?? []).length > 0) ? 1 : 0;
}

/** What else ran: times are only worth comparing when this is small and alike. */
function loadOfMachine(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}

function renderJson(measurements: readonly Measurement[], load: object): string {
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model, cpus: cpus().length, arch: arch(), kernel: release() };
  return `${JSON.stringify({ date: new Date().toISOString(), machine, load, measurements }, undefined, 1)}\n`;
}

process.exitCode = await main();
