/**
 * API priority and fairness: which flow a request belongs to, the seats of each priority level,
 * fair queues for what finds no seat. It knows nothing of HTTP, answers nothing but dumps. Start at
 * flow-control.ts, then fair-queues.ts (the algorithm, pure) and flow-state.ts (the objects).
 */
export { keepDanglingConditions } from './dangling.ts';
export { createDumpRoutes } from './dumps.ts';
export type { FlowTicket } from './flow-control.ts';
export { FlowControl } from './flow-control.ts';
