import type { Command } from './command.ts';

export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
  readonly isHidden?: boolean;
}

/** All subcommands, in the order of help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  server: {
    summary: 'Run management server',
    load: async () => (await import('./commands/server.ts')).serverCommand,
  },
  agent: {
    summary: 'Run node agent',
    load: async () => (await import('./commands/agent.ts')).agentCommand,
  },
  kubectl: {
    summary: 'Run kubectl',
    load: async () => (await import('./commands/kubectl.ts')).kubectlCommand,
  },
  crictl: {
    summary: 'Look at containers, pods and images through the CRI',
    load: async () => (await import('./commands/crictl.ts')).crictlCommand,
  },
  ctr: {
    summary: 'Run ctr',
    load: async () => (await import('./commands/ctr.ts')).ctrCommand,
  },
  'check-config': {
    summary: 'Say what this kernel and machine lack',
    load: async () => (await import('./commands/check-config.ts')).checkConfigCommand,
  },
  completion: {
    summary: 'Install shell completion script',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
  settings: {
    summary: 'Check flags and config file without starting anything',
    load: async () => (await import('./commands/settings.ts')).settingsCommand,
    isHidden: true,
  },
  token: {
    summary: 'Manage tokens',
    load: async () => (await import('./commands/token.ts')).tokenCommand,
  },
  'etcd-snapshot': laterCommand('etcd-snapshot', 'Manage etcd snapshots'),
  'secrets-encrypt': {
    summary: 'Control secrets encryption and keys rotation',
    load: async () => (await import('./commands/secrets-encrypt.ts')).secretsEncryptCommand,
  },
  certificate: {
    summary: 'Manage k3ts certificates',
    load: async () => (await import('./commands/certificate.ts')).certificateCommand,
  },
};

/** A command of k3s that k3ts does not have yet: it says so and fails. */
function laterCommand(name: string, summary: string): CommandEntry {
  return {
    summary: `${summary} (not built yet)`,
    load: () =>
      Promise.resolve({
        name,
        summary,
        run: (context) => {
          context.stderr(`k3ts: "${name}" is not built into k3ts yet\n`);
          return Promise.resolve(1);
        },
      }),
  };
}
