/**
 * An API server in memory for tests of everything that uses a Client. Not for production and no
 * measure of the real server: no defaults, validation, admission or authorization. Start reading at
 * fake-client.ts.
 */
export { createFakeClient } from './fake-client.ts';
export type { FakeAction, FakeClient } from './fake-client.ts';
export { fakeErrors } from './fake-errors.ts';
