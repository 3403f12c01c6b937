import { existsSync } from 'node:fs';

import { replaceProcess } from '../replace-process.ts';
import type { Command } from '../command.ts';

const serverKubeconfig = '/etc/rancher/k3s/k3s.yaml';

/** Runs the kubectl found on PATH against this machine's cluster, unless KUBECONFIG says else. */
export const kubectlCommand: Command = {
  name: 'kubectl',
  summary: 'Run kubectl',
  run(context) {
    const environment = { ...context.environment };
    if ((environment['KUBECONFIG'] ?? '') === '' && existsSync(serverKubeconfig)) {
      environment['KUBECONFIG'] = serverKubeconfig;
    }
    return replaceProcess({
      program: 'kubectl',
      args: context.args,
      environment,
      hint: 'install it (apt-get install kubernetes-client) or put one on PATH',
    });
  },
};
