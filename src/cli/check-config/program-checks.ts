import { findExecutable, runCommand } from '#host/process.ts';
import { limited, missing, ok } from './check.ts';
import type { Check, CheckResult } from './check.ts';

const timeoutMs = 10_000;
const cniFolders = '/var/lib/rancher/k3s/data/cni:/usr/lib/cni:/opt/cni/bin';

function programCheck(options: {
  path: string;
  command: string;
  versionArgs: readonly string[];
  whenMissing: CheckResult;
}): Check {
  const { path, command, versionArgs, whenMissing } = options;
  return {
    group: 'programs',
    name: command,
    async run() {
      const file = findExecutable(command, path);
      if (file === undefined) return whenMissing;
      const { stdout, stderr } = await runCommand({
        command: file,
        args: versionArgs,
        timeoutMs,
        okExitCodes: [0, 1, 2, 255],
      });
      const text = `${stdout}\n${stderr}`.trim().split('\n')[0] ?? '';
      return ok(text === '' ? file : `${file}: ${text.slice(0, 80)}`);
    },
  };
}

const aptHint = (packageName: string): string => `install it: apt-get install ${packageName}`;

/** Checks of the programs that k3ts starts; `path` is the PATH variable. */
export function programChecks(path: string): readonly Check[] {
  const program = (command: string, versionArgs: readonly string[], packageName: string): Check =>
    programCheck({
      path,
      command,
      versionArgs,
      whenMissing: missing('missing', aptHint(packageName)),
    });
  return [
    program('containerd', ['--version'], 'containerd'),
    program('runc', ['--version'], 'runc'),
    program('ip', ['-V'], 'iproute2'),
    program('iptables', ['--version'], 'iptables'),
    programCheck({
      path,
      command: 'conntrack',
      versionArgs: ['--version'],
      whenMissing: limited(
        'missing',
        `UDP clients may keep talking to a pod that is gone; ${aptHint('conntrack')}`,
      ),
    }),
    programCheck({
      path,
      command: 'kubectl',
      versionArgs: ['version', '--client'],
      whenMissing: limited('missing', `no "k3ts kubectl"; ${aptHint('kubernetes-client')}`),
    }),
    {
      group: 'programs',
      name: 'CNI plugins',
      run() {
        const wanted = ['bridge', 'host-local', 'loopback', 'portmap'];
        const lacking = wanted.filter((name) => findExecutable(name, cniFolders) === undefined);
        return Promise.resolve(
          lacking.length === 0
            ? ok(wanted.join(' '))
            : missing(`without ${lacking.join(' ')}`, aptHint('containernetworking-plugins')),
        );
      },
    },
  ];
}
