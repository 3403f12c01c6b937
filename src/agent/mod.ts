/**
 * Builds a node out of its parts and runs it: joining, containerd, pod network, kubelet, service
 * proxy. Start reading at run-agent.ts.
 */
export type { AgentSettings } from './settings.ts';
export { runAgent } from './run-agent.ts';
