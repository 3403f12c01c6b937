import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CommandError,
  findExecutable,
  isProcessAlive,
  runCommand,
  streamCommand,
} from './process.ts';

const timeoutMs = 60_000;

async function failureOf(promise: Promise<unknown>): Promise<CommandError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return error;
  }
  assert.fail('the command succeeded');
}

test('runs a command with its input and gives both outputs', async () => {
  const script = 'cat; echo problem >&2';
  const result = await runCommand({
    command: 'sh',
    args: ['-c', script],
    stdin: 'hello',
    timeoutMs,
  });
  assert.deepEqual(result, { stdout: 'hello', stderr: 'problem\n', exitCode: 0 });
});

test('reports command, exit code and stderr of a failure', async () => {
  const args = ['-c', 'echo no such thing >&2; exit 3'];
  const error = await failureOf(runCommand({ command: 'sh', args, timeoutMs }));
  assert.equal(error.code, 'CommandFailed');
  assert.equal(error.failure, 'exit');
  assert.equal(error.exitCode, 3);
  assert.equal(error.stderr, 'no such thing\n');
  assert.match(error.message, /^sh -c .* failed with exit code 3: no such thing$/s);
});

test('accepts exit codes that are answers', async () => {
  const options = { command: 'sh', args: ['-c', 'exit 1'], timeoutMs, okExitCodes: [0, 1] };
  assert.equal((await runCommand(options)).exitCode, 1);
});

test('kills a command at its timeout even when a grandchild keeps the output open', async () => {
  const args = ['-c', 'sleep 5 & sleep 5'];
  const error = await failureOf(runCommand({ command: 'sh', args, timeoutMs: 50 }));
  assert.equal(error.failure, 'timeout');
});

test('kills a command that writes too much', async () => {
  const error = await failureOf(runCommand({ command: 'yes', timeoutMs, maxOutputBytes: 10_000 }));
  assert.equal(error.failure, 'output');
});

test('names a command that is not installed', async () => {
  const error = await failureOf(runCommand({ command: 'k3ts-no-such-tool', timeoutMs }));
  assert.equal(error.code, 'CommandNotFound');
  assert.equal(error.message, 'k3ts-no-such-tool not found in PATH');
});

test('kills a command when its signal is aborted', async () => {
  const controller = new AbortController();
  const options = { command: 'sleep', args: ['5'], timeoutMs, signal: controller.signal };
  const running = failureOf(runCommand(options));
  controller.abort();
  assert.equal((await running).failure, 'aborted');
});

test('does not mind a command that leaves its input unread', async () => {
  const stdin = 'x'.repeat(1_000_000);
  assert.equal((await runCommand({ command: 'true', stdin, timeoutMs })).exitCode, 0);
});

test('finds executables by PATH order and by path', () => {
  assert.equal(findExecutable('sh', '/nowhere:/bin'), '/bin/sh');
  assert.equal(findExecutable('/bin/sh', ''), '/bin/sh');
  assert.equal(findExecutable('sh', '/nowhere'), undefined);
  assert.equal(findExecutable('/bin', ''), undefined);
});

test('knows whether a process is alive', () => {
  assert.equal(isProcessAlive(process.pid), true);
  assert.equal(isProcessAlive(2 ** 22), false);
});

test('feeds a command from a stream and fails with the stream', async () => {
  const stdin = Readable.from([Buffer.from('ab'), Buffer.from('cd')]);
  assert.equal((await runCommand({ command: 'cat', stdin, timeoutMs })).stdout, 'abcd');
  const broken = new Readable({ read: () => broken.destroy(new Error('disk gone')) });
  const error = await failureOf(runCommand({ command: 'cat', stdin: broken, timeoutMs }));
  assert.equal(error.failure, 'input');
  assert.match(error.message, /disk gone/);
});

test('streams the output of a command and fails when the command does', async () => {
  assert.equal((await text(streamCommand('seq', ['20000']))).length, 108_894);
  const failing = text(streamCommand('sh', ['-c', 'echo part; echo bad >&2; exit 2']));
  assert.match((await failureOf(failing)).message, /failed with exit code 2: bad/);
});
