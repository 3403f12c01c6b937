import { access, constants } from 'node:fs/promises';

import { systemClock } from '#base/clock.ts';
import { K3tsError, hasCode } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { CriClient } from '#kubelet/cri/mod.ts';
import { runInContainer } from '../crictl/exec-command.ts';
import { findOne } from '../crictl/find.ts';
import { pullImage, removeImages } from '../crictl/image-commands.ts';
import { removeContainers, removePods, stopContainers, stopPods } from '../crictl/life-commands.ts';
import { crictlFlags } from '../crictl/flags.ts';
import {
  listContainers,
  listImages,
  listPods,
  listStats,
  toJson,
} from '../crictl/list-commands.ts';
import { printLogs } from '../crictl/logs-command.ts';
import type { Command, CommandContext, FamilyMember } from '../command.ts';
import type { FlagValues } from '../flags/flag.ts';
import { parseArguments, resolveFlags } from '../flags/parse.ts';
import { renderSubcommand } from '../help.ts';
import { requireRoot } from '../require-root.ts';

const defaultSocket = '/run/k3s/containerd/containerd.sock';

interface Call {
  readonly cri: CriClient;
  readonly values: FlagValues;
  readonly args: readonly string[];
  readonly context: CommandContext;
}

interface Subcommand extends FamilyMember {
  /** Arguments after the first non-flag belong to another program. */
  readonly passesRest?: boolean;
  run(call: Call): Promise<number>;
}

const { output, all, quiet, noTrunc, name, namespace, pod } = crictlFlags;
const { timeout, sync, interactive, tty } = crictlFlags;
const { tail, follow, timestamps, since } = crictlFlags;
const { creds, allImages, unused, stopTimeout, force } = crictlFlags;

const print = async (context: CommandContext, text: Promise<string>): Promise<number> => {
  context.stdout(await text);
  return 0;
};

const subcommands: Record<string, Subcommand> = {
  ps: {
    summary: 'List containers',
    flags: [output, all, quiet, noTrunc, name, namespace, pod],
    run: (call) => print(call.context, listContainers({ ...call, nowMs: systemClock.now() })),
  },
  pods: {
    summary: 'List pods',
    flags: [output, quiet, noTrunc, name, namespace],
    run: (call) => print(call.context, listPods({ ...call, nowMs: systemClock.now() })),
  },
  images: {
    summary: 'List images',
    flags: [output, quiet, noTrunc],
    run: (call) => print(call.context, listImages({ ...call, nowMs: systemClock.now() })),
  },
  inspect: {
    summary: 'Show the status of a container',
    flags: [output],
    argumentsText: 'CONTAINER',
    async run({ cri, args, context }) {
      const container = findOne('container', await cri.runtime.listContainers(), needed(args));
      context.stdout(toJson({ status: await cri.runtime.containerStatus(container.id) }));
      return 0;
    },
  },
  inspectp: {
    summary: 'Show the status of a pod',
    flags: [output],
    argumentsText: 'POD',
    async run({ cri, args, context }) {
      const sandbox = findOne('pod', await cri.runtime.listPodSandbox(), needed(args));
      context.stdout(toJson({ status: await cri.runtime.podSandboxStatus(sandbox.id) }));
      return 0;
    },
  },
  logs: {
    summary: 'Print the log of a container',
    flags: [follow, tail, since, timestamps],
    argumentsText: 'CONTAINER',
    run: ({ cri, args, values, context }) =>
      printLogs({
        cri,
        wanted: needed(args),
        values,
        output: context.openStreams().stdout,
        clock: systemClock,
        signal: context.signal,
      }),
  },
  exec: {
    summary: 'Run a command in a container',
    flags: [interactive, tty, timeout, sync],
    argumentsText: 'CONTAINER COMMAND [ARG...]',
    passesRest: true,
    run: ({ cri, args, values, context }) => runInContainer({ cri, args, values, context }),
  },
  pull: {
    summary: 'Pull an image from a registry',
    flags: [creds],
    argumentsText: 'IMAGE',
    run: ({ cri, args, values, context }) => pullImage({ ...context, cri, args, values }),
  },
  rmi: {
    summary: 'Remove images',
    flags: [allImages, unused],
    argumentsText: '[IMAGE...]',
    run: ({ cri, args, values, context }) => removeImages({ ...context, cri, args, values }),
  },
  inspecti: {
    summary: 'Show the status of an image',
    flags: [output],
    argumentsText: 'IMAGE',
    async run({ cri, args, context }) {
      const image = needed(args);
      const status = await cri.images.imageStatus({ image });
      if (status === undefined) {
        throw new K3tsError('NotFound', `no image with ID or name "${image}"`);
      }
      context.stdout(toJson({ status }));
      return 0;
    },
  },
  stop: {
    summary: 'Stop containers',
    flags: [stopTimeout],
    argumentsText: 'CONTAINER...',
    run: ({ cri, args, values, context }) => stopContainers({ ...context, cri, args, values }),
  },
  rm: {
    summary: 'Remove containers',
    flags: [force],
    argumentsText: 'CONTAINER...',
    run: ({ cri, args, values, context }) => removeContainers({ ...context, cri, args, values }),
  },
  stopp: {
    summary: 'Stop pods',
    flags: [],
    argumentsText: 'POD...',
    run: ({ cri, args, values, context }) => stopPods({ ...context, cri, args, values }),
  },
  rmp: {
    summary: 'Remove pods',
    flags: [force],
    argumentsText: 'POD...',
    run: ({ cri, args, values, context }) => removePods({ ...context, cri, args, values }),
  },
  stats: {
    summary: 'List what containers use',
    flags: [output, all, noTrunc],
    run: (call) =>
      print(
        call.context,
        listStats({ ...call, nowMs: systemClock.now() }, () => systemClock.sleep(1000)),
      ),
  },
  info: {
    summary: 'Show information about the runtime',
    flags: [output],
    run: ({ cri, context }) =>
      print(
        context,
        cri.runtime.status({ isVerbose: true }).then((status) => toJson(status)),
      ),
  },
  version: {
    summary: 'Show the version of the runtime',
    flags: [output],
    async run({ cri, context }) {
      const found = await cri.runtime.version();
      context.stdout(
        `Version:  ${found.version}\nRuntimeName:  ${found.runtimeName}\n` +
          `RuntimeVersion:  ${found.runtimeVersion}\nRuntimeApiVersion:  ${found.runtimeApiVersion}\n`,
      );
      return 0;
    },
  },
};

/** The parts of crictl that people use to look at a node, over the CRI of k3ts' containerd. */
export const crictlCommand: Command = {
  name: 'crictl',
  summary: 'Look at containers, pods and images through the CRI',
  words: Object.keys(subcommands),
  family: subcommands,
  async run(context) {
    const { endpoint, args } = readEndpoint(context);
    const [first, ...rest] = args;
    const subcommand = first === undefined ? undefined : subcommands[first];
    if (subcommand === undefined) {
      if (first !== undefined && !['help', '--help', '-h'].includes(first)) {
        throw new K3tsError('Usage', `crictl has no command "${first}"\n${renderUsage()}`);
      }
      context.stdout(renderUsage());
      return 0;
    }
    const { own, passed } = split(subcommand, rest);
    if (own.includes('--help') || own.includes('-h')) {
      context.stdout(renderSubcommand(`k3ts crictl ${first ?? ''}`, subcommand));
      return 0;
    }
    const { raw, positionals } = parseArguments(subcommand.flags, own);
    const { values } = resolveFlags(subcommand.flags, {
      commandLine: raw,
      configFile: new Map(),
      environment: {},
    });
    const { createCriClient } = await import('#kubelet/cri/mod.ts');
    const socketPath = endpoint.replace(/^unix:\/\//, '');
    await checkSocket(socketPath);
    const cri = createCriClient({ socketPath, clock: systemClock, log: silentLogger });
    try {
      return await subcommand.run({ cri, values, args: [...positionals, ...passed], context });
    } finally {
      cri.close();
    }
  },
};

/** --runtime-endpoint before the command, else CONTAINER_RUNTIME_ENDPOINT, else our containerd's. */
function readEndpoint({ args, environment }: CommandContext): {
  endpoint: string;
  args: readonly string[];
} {
  const [first = '', second] = args;
  const [, inline] = /^(?:--runtime-endpoint|-r)=(.+)$/.exec(first) ?? [];
  if (inline !== undefined) return { endpoint: inline, args: args.slice(1) };
  if (first === '--runtime-endpoint' || first === '-r') {
    if (second === undefined) throw new K3tsError('Usage', `flag needs an argument: ${first}`);
    return { endpoint: second, args: args.slice(2) };
  }
  return { endpoint: environment['CONTAINER_RUNTIME_ENDPOINT'] ?? defaultSocket, args };
}

/** gRPC tries long and says little. */
async function checkSocket(path: string): Promise<void> {
  try {
    await access(path, constants.W_OK);
  } catch (error) {
    if (hasCode(error, 'EACCES')) requireRoot('crictl');
    throw new K3tsError(
      'NotFound',
      `cannot reach ${path}: is k3ts running here? (--runtime-endpoint sets another one)`,
      { cause: error },
    );
  }
}

/** Flags before the container are ours, everything after it goes to the command. */
function split(
  { passesRest, flags }: Subcommand,
  args: readonly string[],
): { own: readonly string[]; passed: readonly string[] } {
  if (passesRest !== true) return { own: args, passed: [] };
  const withValue = new Set(
    flags.filter(({ type }) => type !== 'boolean').map((flag) => `--${flag.name}`),
  );
  let index = 0;
  while (index < args.length && args[index]?.startsWith('-') === true) {
    index += withValue.has(args[index] ?? '') ? 2 : 1;
  }
  return { own: args.slice(0, index), passed: args.slice(index) };
}

function needed(args: readonly string[]): string {
  const [first] = args;
  if (first === undefined) throw new K3tsError('Usage', 'an ID or a name is needed');
  return first;
}

function renderUsage(): string {
  const names = Object.keys(subcommands);
  const width = Math.max(...names.map((entry) => entry.length)) + 2;
  const lines = names.map(
    (entry) => `   ${entry.padEnd(width)}${subcommands[entry]?.summary ?? ''}`,
  );
  return `USAGE:\n   k3ts crictl [--runtime-endpoint SOCKET] COMMAND [FLAGS] [ARGS]\n\nCOMMANDS:\n${lines.join('\n')}\n`;
}
