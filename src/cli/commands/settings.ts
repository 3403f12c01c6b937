import { K3tsError } from '#base/errors.ts';
import type { Command } from '../command.ts';
import { agentFlags, agentOnlyFlags, commonFlags } from '../flags/agent-flags.ts';
import { serverFlags } from '../flags/server-flags.ts';
import { readAgentSettings, readLocalAgentSettings } from '../settings/agent-settings.ts';
import { loadFlags } from '../settings/load-flags.ts';
import { readServerSettings } from '../settings/server-settings.ts';

/**
 * Checks the flags of `server` or `agent` together with config file and environment, starts
 * nothing, and prints what install.sh needs to know of them as assignments for sh.
 */
export const settingsCommand: Command = {
  name: 'settings',
  summary: 'Check flags and config file without starting anything',
  usage: 'k3ts settings server|agent [FLAGS]',
  async run(context) {
    const [name, ...args] = context.args;
    if (name !== 'server' && name !== 'agent') {
      throw new K3tsError('Usage', `usage: ${this.usage ?? ''}`);
    }
    const read = name === 'server' ? readServer : readAgent;
    const lines = Object.entries(await read({ ...context, args }));
    context.stdout(lines.map(([key, value]) => `${key}=${quote(value)}\n`).join(''));
    return 0;
  },
};

type Assignments = Readonly<Record<string, string>>;

const yesOrNo = (is: boolean): string => (is ? 'yes' : 'no');

async function readServer(context: Parameters<Command['run']>[0]): Promise<Assignments> {
  const values = loadFlags([...commonFlags, ...serverFlags, ...agentFlags], context);
  const settings = await readServerSettings(values);
  if (!settings.disableAgent) await readLocalAgentSettings(values, settings);
  return {
    data_dir: settings.dataDir,
    kubeconfig: settings.kubeconfig.path,
    node_name: settings.nodeName,
    has_node: yesOrNo(!settings.disableAgent),
    has_node_id: yesOrNo(values.get('with-node-id') === true),
  };
}

async function readAgent(context: Parameters<Command['run']>[0]): Promise<Assignments> {
  const values = loadFlags([...commonFlags, ...agentOnlyFlags, ...agentFlags], context);
  const settings = await readAgentSettings(values);
  return {
    data_dir: settings.dataDir,
    kubeconfig: `${settings.dataDir}/agent/kubelet.kubeconfig`,
    node_name: settings.nodeName,
    has_node: 'yes',
    has_node_id: yesOrNo(settings.withNodeId),
  };
}

/** One word for sh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
