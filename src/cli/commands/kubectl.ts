import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';

import { hasCode } from '#base/errors.ts';
import { replaceProcess } from '../replace-process.ts';
import type { Command } from '../command.ts';

const serverKubeconfig = '/etc/rancher/k3s/k3s.yaml';

/** Runs the kubectl found on PATH against this machine's cluster, unless KUBECONFIG says else. */
export const kubectlCommand: Command = {
  name: 'kubectl',
  summary: 'Run kubectl',
  run(context) {
    const environment = { ...context.environment };
    const isGiven =
      (environment['KUBECONFIG'] ?? '') !== '' ||
      context.args.some((arg) => arg.startsWith('--kubeconfig'));
    if (!isGiven) {
      const problem = kubeconfigProblem();
      const own = join(environment['HOME'] ?? '/nonexistent', '.kube/config');
      if (problem === undefined) environment['KUBECONFIG'] = serverKubeconfig;
      else if (!existsSync(own) && asksCluster(context.args)) {
        context.stderr(`k3ts: ${problem}\n`);
      }
    }
    return replaceProcess({
      program: 'kubectl',
      args: context.args,
      environment,
      hint: 'install it (apt-get install kubernetes-client) or put one on PATH',
    });
  },
};

const localCommands = new Set(['completion', 'config', 'help', 'kustomize', 'options', 'plugin']);

/** Whether a command line of kubectl needs a server: help and the like do not. */
export function asksCluster(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  if (own.some((arg) => arg === '--help' || arg === '-h' || arg === '--client')) return false;
  const word = own.find((arg) => !arg.startsWith('-'));
  return word !== undefined && !localCommands.has(word);
}

/** Why the cluster of this machine cannot be reached with its own kubeconfig, if so. */
function kubeconfigProblem(): string | undefined {
  try {
    accessSync(serverKubeconfig, constants.R_OK);
    return undefined;
  } catch (error) {
    if (!hasCode(error, 'EACCES')) {
      return `there is no ${serverKubeconfig}: start "k3ts server", or set KUBECONFIG`;
    }
    return (
      `cannot read ${serverKubeconfig}: use sudo, set KUBECONFIG, or start "k3ts server" with ` +
      '--write-kubeconfig-mode or --write-kubeconfig-group'
    );
  }
}
