/**
 * Nodes that exist as objects only: many of them in one process, to see how a cluster of hundreds
 * of nodes behaves on one machine. They are ready, renew their leases, and let pods run and end
 * without any container. Start reading at run-fake-nodes.ts.
 */
export { runFakeNodes } from './run-fake-nodes.ts';
export type { FakeNodesOptions } from './run-fake-nodes.ts';
