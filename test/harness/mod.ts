/**
 * Machines for tests of nodes and clusters, made of namespaces: startNode for k3ts on one machine,
 * createLab for several with a network between them. Start reading at lab.ts.
 */
export { createLab, labProblem, type Lab } from './lab.ts';
export type { Machine, RunOptions } from './machine.ts';
export { startNode, waitFor, type StartNodeOptions, type TestNode } from './node.ts';
