import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startNode, type TestNode } from '../harness/mod.ts';
import { buildSoakImage } from './image.ts';
import type { SoakMessage, SoakPlan, SoakReport } from './report.ts';
import { unplannedEnds } from './unplanned-ends.ts';

/**
 * Runs a soak on a new lab machine and answers what came of it. Lines of progress are handed out
 * as they come; `onEnd` gets the node before it goes away, for its log.
 */
export async function runSoak(options: {
  plan: SoakPlan;
  progress(line: string): void;
  onEnd?: ((node: TestNode) => Promise<void>) | undefined;
}): Promise<SoakReport> {
  const { plan, progress, onEnd } = options;
  await using node = await startNode({ images: [await buildSoakImage()] });
  await node.waitReady();
  try {
    const report = await driveSoak(node, plan, progress);
    const log = await readFile(join(node.lab.directory, `${node.machine.name}.log`), 'utf8');
    return { ...report, problems: [...report.problems, ...unplannedEnds(log)] };
  } finally {
    await onEnd?.(node);
  }
}

/** Starts the program that churns, inside the machine's namespaces but outside its cgroups. */
async function driveSoak(
  node: TestNode,
  plan: SoakPlan,
  progress: (line: string) => void,
): Promise<SoakReport> {
  const into = ['-t', String(node.machine.initPid), '-m', '-n', '-p', '-u', '-i', '--'];
  const program = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const args = [...into, ...program, join(import.meta.dirname, 'driver.ts'), JSON.stringify(plan)];
  const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as SoakMessage;
      if ('progress' in message) progress(message.progress);
      if ('report' in message) return message.report;
      if ('restart' in message) {
        await node.restart();
        child.stdin.write('restarted\n');
      }
    }
    throw new Error('the soak ended without a report');
  } finally {
    child.kill('SIGKILL');
  }
}
