import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandContext } from '../command.ts';
import { settingsCommand } from './settings.ts';

async function run(...args: string[]): Promise<string> {
  let output = '';
  const context: CommandContext = {
    args,
    environment: {},
    stdout: (text) => (output += text),
    stderr: () => undefined,
    openStreams: () => assert.fail('no streams are needed'),
    isTerminal: false,
    signal: AbortSignal.timeout(60_000),
  };
  assert.equal(await settingsCommand.run(context), 0);
  return output;
}

const server = ['server', '--node-ip', '192.0.2.10', '--node-name', 'n', '-d', '/nowhere'];

test("what install.sh needs of a server's flags comes as assignments", async () => {
  assert.equal(
    await run(...server, '--write-kubeconfig', "/it's/here"),
    `data_dir='/nowhere'\nkubeconfig='/it'\\''s/here'\nnode_name='n'\nhas_node='yes'\nhas_node_id='no'\n`,
  );
  assert.match(await run(...server, '--disable-agent'), /^has_node='no'$/m);
});

test('flags of the node beside a server are checked with the others', async () => {
  const problems = [
    [['--kubelet-arg', 'nope=1'], /unknown flag: --nope/],
    [['--node-label', 'alone'], /invalid --node-label "alone": key=value expected/],
    [['--node-taint', 'a=b:Never'], /invalid --node-taint "a=b:Never"/],
  ] as const;
  for (const [args, message] of problems) {
    await assert.rejects(run(...server, ...args), { code: 'Usage', message });
    await run(...server, '--disable-agent', ...args);
  }
});

test('a command that is neither server nor agent is told how it goes', async () => {
  await assert.rejects(run('kubectl'), { message: 'usage: k3ts settings server|agent [FLAGS]' });
});
