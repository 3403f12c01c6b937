import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { CommandAnswer, KubectlOptions, TestApi } from './server.ts';

/** A kubectl that tests type into. */
export interface KubectlVersion {
  readonly title: string;
  readonly program: string;
  /** Debian's kubectl 1.20: no strict fields, no subresources, apply sets or typed explain. */
  readonly isOld: boolean;
}

const debianKubectl = '/var/cache/k3ts/debian-kubectl';

/** The kubectl on PATH, and Debian's own, which `scripts/install-packages.sh test` fetches. */
export function kubectlVersions(): KubectlVersion[] {
  const current = { title: 'kubectl', program: 'kubectl', isOld: false };
  if (existsSync(debianKubectl)) {
    return [current, { title: "Debian's kubectl", program: debianKubectl, isOld: true }];
  }
  const problem = `${debianKubectl} is missing: scripts/install-packages.sh test fetches it`;
  assert.ok(!process.env['CI'], problem);
  process.stderr.write(`SKIPPED: tests with Debian's kubectl: ${problem}\n`);
  return [current];
}

/** One kubectl at work in one namespace. */
export interface KubectlSession {
  readonly namespace: string;
  /** Its output; a command that fails fails the test. Text is split at spaces. */
  run(line: string | readonly string[], options?: KubectlOptions): Promise<string>;
  /** What a command prints to stderr that has to fail. */
  refusal(line: string | readonly string[], options?: KubectlOptions): Promise<string>;
  attempt(line: string | readonly string[], options?: KubectlOptions): Promise<CommandAnswer>;
  /** A command that runs until it is stopped. */
  follow(line: string): FollowedCommand;
}

export interface FollowedCommand {
  /** What it printed up to now. */
  output(): string;
  stop(): Promise<void>;
}

/** A kubectl that works in one namespace, with a cache of discovery that no other one writes. */
export function kubectlSession(
  api: TestApi,
  { program }: KubectlVersion,
  namespace: string,
): KubectlSession {
  const home = { HOME: join(api.dataDir, `home-of-${namespace}`) };
  const attempt: KubectlSession['attempt'] = async (line, options = {}) => {
    const words = typeof line === 'string' ? line.split(' ') : line;
    const env = { ...home, ...options.env };
    return await api.kubectl(['-n', namespace, ...words], { program, ...options, env });
  };
  return {
    namespace,
    attempt,
    follow(line) {
      const env = { ...process.env, ...home, KUBECONFIG: api.kubeconfig };
      const child = spawn(program, ['-n', namespace, ...line.split(' ')], { env });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      const closed = once(child, 'close');
      return {
        output: () => output,
        async stop() {
          child.kill();
          await closed;
        },
      };
    },
    async run(line, options) {
      const { code, stdout, stderr } = await attempt(line, options);
      assert.equal(code, 0, `${String(line)}: ${stderr}`);
      return stdout;
    },
    async refusal(line, options) {
      const { code, stdout, stderr } = await attempt(line, options);
      assert.notEqual(code, 0, `${String(line)}: ${stdout}`);
      return stderr;
    },
  };
}
