/**
 * Builds a server out of its parts and runs it: files, datastore, API, controllers, scheduler,
 * DNS and the agent beside it. No logic of its own beyond that. Start reading at run-server.ts.
 */
export type { ServerSettings } from './settings.ts';
export { runServer } from './run-server.ts';
