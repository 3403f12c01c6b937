import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { systemClock } from '#base/clock.ts';

/** An etcd of its own on a loopback address; its data outlives `stop`. */
export interface EtcdProcess {
  readonly endpoint: string;
  /** What etcdctl prints for these arguments. */
  ctl(...args: string[]): string;
  /** Puts bytes that no command line can carry. */
  put(key: string, value: Buffer): void;
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  close(): Promise<void>;
}

const startTimeoutMs = 60_000;

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

/** Why etcd cannot be run here; undefined when it can. */
export function etcdProblem(): string | undefined {
  if (!has('etcd')) return 'there is no etcd (Debian package etcd-server)';
  if (!has('etcdctl')) return 'there is no etcdctl (Debian package etcd-client)';
  return undefined;
}

export interface EtcdTls {
  /** The loopback address that the certificate is for. */
  readonly host: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Starts etcd; with `tls` (paths of PEM files) it wants client certificates. */
export async function startEtcd(tls?: EtcdTls): Promise<EtcdProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'k3ts-etcd-'));
  const host = tls?.host ?? `127.${randomInt(1, 255)}.${randomInt(0, 255)}.${randomInt(1, 255)}`;
  const scheme = tls === undefined ? 'http' : 'https';
  const endpoint = `${scheme}://${host}:2379`;
  const peer = `http://${host}:2380`;
  const flags = [
    ['name', 'one'],
    ['data-dir', join(dir, 'data')],
    ['listen-client-urls', endpoint],
    ['advertise-client-urls', endpoint],
    ['listen-peer-urls', peer],
    ['initial-advertise-peer-urls', peer],
    ['initial-cluster', `one=${peer}`],
    ['unsafe-no-fsync', 'true'],
    ...(tls === undefined
      ? []
      : [
          ['cert-file', tls.certificate],
          ['key-file', tls.key],
          ['trusted-ca-file', tls.ca],
          ['client-cert-auth', 'true'],
        ]),
  ];
  // 3.4 of Debian has no such flag
  const known = spawnSync('etcd', ['--help'], { encoding: 'utf8' });
  const help = known.stdout + known.stderr;
  const args = flags
    .filter(([name = '']) => help.includes(`--${name}`))
    .map(([name, value]) => `--${name}=${value}`);
  const ctlArgs =
    tls === undefined
      ? []
      : [`--cacert=${tls.ca}`, `--cert=${tls.certificate}`, `--key=${tls.key}`];
  let child: ChildProcess | undefined;
  const ctl = (...command: string[]): string => run(command, '');
  const run = (command: readonly string[], input: string | Buffer): string => {
    const done = spawnSync('etcdctl', [`--endpoints=${endpoint}`, ...ctlArgs, ...command], {
      input,
      encoding: 'utf8',
      env: { ...process.env, ETCDCTL_API: '3' },
      timeout: 30_000,
    });
    if (done.status !== 0) throw new Error(`etcdctl ${command.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  const stop = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };
  const start = async (): Promise<void> => {
    child = spawn('etcd', args, { stdio: 'ignore', env: { PATH: searchPath(), HOME: dir } });
    const endMs = systemClock.monotonicMs() + startTimeoutMs;
    for (;;) {
      try {
        ctl('endpoint', 'health');
        return;
      } catch (error) {
        if (systemClock.monotonicMs() > endMs) throw error;
        await systemClock.sleep(100);
      }
    }
  };
  await start();
  return {
    endpoint,
    ctl,
    put: (key, value) => void run(['put', key], value),
    stop,
    start,
    async close() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function searchPath(): string {
  return [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);
}
