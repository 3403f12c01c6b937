/**
 * The agent beside a server as a process. Apart from the rest of the server, so that it can be
 * started before the server's own code is loaded.
 */
export { startAgentProcess } from './agent-process.ts';
export type { AgentProcess, AgentProcessOptions } from './agent-process.ts';
