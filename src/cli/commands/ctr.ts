import { replaceProcess } from '../replace-process.ts';
import type { Command } from '../command.ts';

/** Runs containerd's own client against the containerd that k3ts started. */
export const ctrCommand: Command = {
  name: 'ctr',
  summary: 'Run ctr',
  run(context) {
    const environment = {
      CONTAINERD_ADDRESS: '/run/k3s/containerd/containerd.sock',
      CONTAINERD_NAMESPACE: 'k8s.io',
      ...context.environment,
    };
    return replaceProcess({
      program: 'ctr',
      args: context.args,
      environment,
      hint: 'it comes with containerd (apt-get install containerd)',
    });
  },
};
