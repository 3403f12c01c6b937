import { createWriteStream } from 'node:fs';

import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { spawnSupervised } from '#host/supervised-process.ts';

/** How the agent beside this server is started. */
export interface AgentProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Settings as the agent reads them, token still empty. */
  readonly settings: object;
  readonly logFile: string | undefined;
}

/** The agent beside this server; it loads its code and waits until it may begin. */
export interface AgentProcess {
  /** Hands over the token: the server listens now. */
  begin(token: string): void;
  /** Ends the agent, whether it has begun or not; safe to call again. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 15_000;

/**
 * Starts this node's agent as a process of its own, so that kubelet and API do not share an event
 * loop, and starts it again when it ends. It loads its code while the server does the same, and
 * touches nothing before `begin`: another k3ts may run on this machine until the server has its
 * port. Settings go through the environment, the token through its standard input.
 */
export function startAgentProcess(options: {
  agent: AgentProcessOptions;
  environment: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Logger;
}): AgentProcess {
  const { agent, environment, clock, log } = options;
  const output =
    agent.logFile === undefined ? process.stderr : createWriteStream(agent.logFile, { flags: 'a' });
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    // K3S_* of the server are not the agent's: it would read them as its own flags.
    if (value !== undefined && !name.startsWith('K3S_')) variables[name] = value;
  }
  variables['K3TS_AGENT_SETTINGS'] = JSON.stringify(agent.settings);
  const token = Promise.withResolvers<string>();
  const supervised = spawnSupervised({
    name: 'agent',
    command: agent.command,
    args: [...agent.args, 'agent'],
    env: variables,
    input: token.promise,
    clock,
    log,
    output: { onData: (chunk) => void output.write(chunk) },
    restart: 'always',
    backoff: { initialMs: 500, maxMs: 10_000, resetAfterMs: 60_000 },
    stopTimeoutMs,
  });
  return { begin: token.resolve, stop: () => supervised.stop() };
}
