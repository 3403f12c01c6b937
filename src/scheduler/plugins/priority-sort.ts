import type { Plugin } from '../framework/plugin.ts';

/** Higher priority first, then who waits longest. */
export const prioritySort: Plugin = {
  name: 'PrioritySort',
  less: (a, b) => b.priority - a.priority || a.enqueuedMs - b.enqueuedMs,
};
