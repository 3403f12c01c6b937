import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';

import type { AgentSettings } from '#agent/mod.ts';
import { systemClock } from '#base/clock.ts';
import { createLogger } from '#base/log.ts';
import { systemRandom } from '#base/random.ts';
import type { Command, CommandContext } from '../command.ts';
import { agentFlags, agentOnlyFlags, commonFlags } from '../flags/agent-flags.ts';
import { booleanFlag, integerFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { keepMemorySmall } from '../idle-memory.ts';
import { logSteps, wantsDebug } from '../log-steps.ts';
import { openLog } from '../log-output.ts';
import { version } from '../version.ts';
import { requireRoot } from '../require-root.ts';
import { readAgentSettings } from '../settings/agent-settings.ts';
import { loadFlags } from '../settings/load-flags.ts';

/** Set by a server for the agent it starts: its settings as JSON; the token comes on stdin. */
const settingsVariable = 'K3TS_AGENT_SETTINGS';

/** Runs this machine as a node of a cluster. */
export const agentCommand: Command = {
  name: 'agent',
  summary: 'Run node agent',
  flags: [...commonFlags, ...agentOnlyFlags, ...agentFlags],
  async run(context) {
    const handedOver = context.environment[settingsVariable];
    const isChild = handedOver !== undefined;
    const values: FlagValues = isChild ? new Map() : loadFlags(this.flags ?? [], context);
    const fakeNodes = integerFlag(values, 'fake-nodes') ?? 0;
    if (fakeNodes > 0) return await simulateNodes(fakeNodes, values, context);
    const given = isChild
      ? (JSON.parse(handedOver) as AgentSettings)
      : await readAgentSettings(values);
    requireRoot('agent');
    process.title = 'k3ts agent';
    const isDebug = given.debug || wantsDebug(values);
    const log = createLogger({
      level: isDebug ? 'debug' : 'info',
      now: () => systemClock.now(),
      write: openLog(values, context.stderr),
    });
    if (isDebug) logSteps(log);
    const { runAgent } = await import('#agent/mod.ts');
    const token = isChild ? await readToken(context.signal) : given.token;
    // The server ended before it listened.
    if (token === '' && isChild) return 0;
    const settings = { ...given, token };
    keepMemorySmall({ clock: systemClock, log, signal: context.signal });
    await runAgent({
      settings,
      version,
      environment: definedVariables(context.environment),
      clock: systemClock,
      random: systemRandom,
      log,
      signal: context.signal,
    });
    return 0;
  },
};

/** `--fake-nodes`: no root, no runtime, no joining; ends with the signal. */
async function simulateNodes(
  count: number,
  values: FlagValues,
  context: CommandContext,
): Promise<number> {
  process.title = 'k3ts fake-nodes';
  const log = createLogger({
    level: booleanFlag(values, 'debug') ? 'debug' : 'info',
    now: () => systemClock.now(),
    write: openLog(values, context.stderr),
  });
  const { createKubeconfigClient } = await import('#client/mod.ts');
  const { runFakeNodes } = await import('#agent/fake-nodes/mod.ts');
  const file = stringFlag(values, 'fake-nodes-kubeconfig') ?? '/etc/rancher/k3s/k3s.yaml';
  const clock = systemClock;
  const client = await createKubeconfigClient(file, { userAgent: 'k3ts-fake-nodes', clock, log });
  const { signal } = context;
  await runFakeNodes({ count, client, version, clock, random: systemRandom, log, signal });
  return 0;
}

/** The token from the server that started us; empty when the server or we are stopped before. */
async function readToken(signal: AbortSignal): Promise<string> {
  try {
    return await text(addAbortSignal(signal, process.stdin));
  } catch (error) {
    if (signal.aborted) return '';
    throw error;
  }
}

/** The environment that child processes get. */
function definedVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && name !== settingsVariable) variables[name] = value;
  }
  return variables;
}
