/** A device plugin for tests, in this process or as a program of test/fixtures. */
export { startTestPlugin, type TestPlugin } from './test-plugin.ts';
