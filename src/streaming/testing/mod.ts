/**
 * For tests of those above: a container runtime's streaming server in process. Start reading at
 * fake-stream-server.ts.
 */
export { endCommand, startFakeStreamServer } from './fake-stream-server.ts';
export type { FakeCommand, FakeStreamServer } from './fake-stream-server.ts';
