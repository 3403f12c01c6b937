import { createWriteStream } from 'node:fs';

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { spawnSupervised } from '#host/supervised-process.ts';
import type { SupervisedProcess } from '#host/supervised-process.ts';

/** How the agent beside this server is started. */
export interface AgentProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Settings as the agent reads them, token still empty. */
  readonly settings: object;
  readonly logFile: string | undefined;
}

const stopTimeoutMs = 15_000;

/**
 * Starts this node's agent as a process of its own, so that kubelet and API do not share an event
 * loop, and starts it again when it ends. The settings go through the environment, where only root
 * can read them.
 */
export function startAgentProcess(options: {
  agent: AgentProcessOptions;
  token: string;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
}): SupervisedProcess {
  const { agent, token, environment, clock, log } = options;
  const output =
    agent.logFile === undefined ? process.stderr : createWriteStream(agent.logFile, { flags: 'a' });
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    // K3S_* of the server are not the agent's: it would read them as its own flags.
    if (value !== undefined && !name.startsWith('K3S_')) variables[name] = value;
  }
  variables['K3TS_AGENT_SETTINGS'] = JSON.stringify({ ...agent.settings, token });
  return spawnSupervised({
    name: 'agent',
    command: agent.command,
    args: [...agent.args, 'agent'],
    env: variables,
    clock,
    log,
    output: { onData: (chunk) => void output.write(chunk) },
    restart: 'always',
    backoff: { initialMs: 500, maxMs: 10_000, resetAfterMs: 60_000 },
    stopTimeoutMs,
  });
}
