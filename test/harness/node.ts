import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { signalProcess, type CommandResult } from '#host/process.ts';
import { createLab, type Lab } from './lab.ts';
import type { Machine, RunOptions } from './machine.ts';

export interface StartNodeOptions {
  /** A lab to join; absent makes one of its own, which `close` removes. */
  lab?: Lab | undefined;
  name?: string | undefined;
  /** Flags after `k3ts server`, or `['agent', …]` to start something else. */
  args?: readonly string[] | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  /** config.yaml. */
  config?: string | undefined;
  /** Image archives that are in agent/images before the start. */
  images?: readonly string[] | undefined;
  /** The program to start; `bin/k3ts` when absent. */
  program?: string | undefined;
  /** Only makes the machine; `restart` starts k3ts. */
  isStopped?: boolean | undefined;
}

/** k3ts on a machine of a lab. */
export interface TestNode extends AsyncDisposable {
  readonly machine: Machine;
  readonly lab: Lab;
  readonly address: string;
  /** Runs kubectl with the admin kubeconfig of this node and answers its output. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Applies a manifest. */
  apply(manifest: string): Promise<string>;
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Waits until the condition answers true; its last error is in the failure. */
  waitFor(what: string, condition: () => Promise<boolean>, timeoutMs?: number): Promise<void>;
  /** Waits until this node's Node object is Ready. */
  waitReady(timeoutMs?: number): Promise<void>;
  /** kill -9 for the processes of k3ts; containerd, shims and containers go on. */
  kill9(): Promise<void>;
  /** kill -9 for k3ts and containerd; shims and containers go on. */
  kill9All(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** Stops if it runs, and starts again with the same or other flags. */
  restart(args?: readonly string[]): Promise<void>;
  /** What k3ts wrote to its log so far. */
  log(): Promise<string>;
  /** Ends the machine with everything in it. */
  close(): Promise<void>;
}

const repository = fileURLToPath(new URL('../..', import.meta.url));
const launcher = join(repository, 'bin/k3ts');
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';
/** k3ts names its processes once it runs. */
const k3tsProcess = /src\/cli\/main\.ts|bin\/k3ts|^k3ts (server|agent)\b/;
const containerdProcess = /^\S*containerd --config/;

export async function startNode(options: StartNodeOptions = {}): Promise<TestNode> {
  const lab = options.lab ?? (await createLab());
  try {
    const machine = await lab.addMachine(options.name);
    await prepare(machine, options);
    const node = createNode(machine, lab, options);
    if (options.isStopped !== true) await node.restart();
    return node;
  } catch (error) {
    if (options.lab === undefined) await lab.close();
    throw error;
  }
}

async function prepare(machine: Machine, options: StartNodeOptions): Promise<void> {
  const images = '/var/lib/rancher/k3s/agent/images';
  await machine.run('mkdir', ['-p', images, '/etc/rancher/k3s']);
  for (const image of options.images ?? []) {
    await machine.run('cp', [image, join(images, basename(image))]);
  }
  if (options.config !== undefined) {
    await machine.sh('cat >/etc/rancher/k3s/config.yaml', { stdin: options.config });
  }
}

function createNode(machine: Machine, lab: Lab, options: StartNodeOptions): TestNode {
  const logFile = join(lab.directory, `${machine.name}.log`);
  let args = options.args ?? [];
  const { program = launcher } = options;
  const ownProcess = program === launcher ? k3tsProcess : literally(program);
  let child: ChildProcess | undefined;

  const start = (): void => {
    const [first] = args;
    const hasCommand = first !== undefined && !first.startsWith('-');
    const output = openSync(logFile, 'a');
    const line = hasCommand ? args : ['server', ...args];
    child = machine.spawn(program, line, { output, env: options.env });
    child.unref();
    closeSync(output);
  };

  const killMatching = async (...patterns: RegExp[]): Promise<void> => {
    const find = async (): Promise<number[]> =>
      (await Promise.all(patterns.map((pattern) => machine.processes(pattern)))).flat();
    for (const pid of await find()) signalProcess(pid, 'SIGKILL');
    await waitFor('the killed processes to be gone', async () => (await find()).length === 0);
  };

  const node: TestNode = {
    machine,
    lab,
    address: machine.address,
    run: machine.run,
    async kubectl(kubectlArgs, runOptions) {
      const line = ['--kubeconfig', kubeconfig, ...kubectlArgs];
      return (await machine.run('kubectl', line, runOptions)).stdout;
    },
    apply: (manifest) => node.kubectl(['apply', '-f', '-'], { stdin: manifest }),
    waitFor,
    async waitReady(timeoutMs = 120_000) {
      const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
      await waitFor(
        `node ${machine.name} to be Ready`,
        async () => (await node.kubectl(['get', 'node', machine.name, '-o', path])) === 'True',
        timeoutMs,
      );
    },
    kill9: () => killMatching(ownProcess),
    kill9All: () => killMatching(ownProcess, containerdProcess),
    async stop() {
      for (const pid of await machine.processes(ownProcess)) signalProcess(pid, 'SIGTERM');
      const isGone = async (): Promise<boolean> =>
        (await machine.processes(ownProcess)).length === 0;
      await waitFor('k3ts to stop', isGone);
    },
    async restart(newArgs) {
      await node.stop();
      args = newArgs ?? args;
      start();
    },
    log: async () => await readFile(logFile, 'utf8').catch(() => ''),
    async close() {
      if (options.lab === undefined) await lab.close();
      else signalProcess(machine.initPid, 'SIGKILL');
    },
    [Symbol.asyncDispose]: () => node.close(),
  };
  return node;
}

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}

/** Asks until the answer is true, 50 ms apart; the bound is for machines that are busy. */
export async function waitFor(
  what: string,
  condition: () => Promise<boolean>,
  timeoutMs = 90_000,
): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs;
  let last = 'the answer was no';
  for (;;) {
    try {
      if (await condition()) return;
      last = 'the answer was no';
    } catch (error) {
      last = messageOf(error);
    }
    if (systemClock.monotonicMs() > deadlineMs) {
      throw new Error(`waited ${timeoutMs} ms for ${what}: ${last}`);
    }
    await systemClock.sleep(50);
  }
}
