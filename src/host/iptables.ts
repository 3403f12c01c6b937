import { K3tsError } from '#base/errors.ts';
import { CommandError, runCommand } from './process.ts';

export type IpFamily = 4 | 6;

/** Which kernel interface the iptables tools of this machine talk to. */
export interface IptablesInfo {
  readonly variant: 'nft' | 'legacy';
  readonly version: string;
}

/** The netfilter tables of one address family. Calls are bounded and never overlap. */
export interface Iptables {
  readonly family: IpFamily;
  readonly info: IptablesInfo;
  /**
   * Applies a batch in iptables-restore form (`*table … COMMIT`) in one transaction per table.
   * Chains that the batch does not name are left alone; named ones (`:CHAIN - [0:0]`) are flushed.
   */
  restore(batch: string): Promise<void>;
  /**
   * The rules of a table in iptables-save form; only with the variant in use, never with legacy.
   */
  save(table: string): Promise<string>;
  /** Runs one command (`-t nat -C …`). Exit code 1 is `false`: rule or chain not there. */
  check(args: readonly string[]): Promise<boolean>;
  run(args: readonly string[]): Promise<void>;
}

const timeoutMs = 30_000;
/** Legacy tools share a lock file; nft ones accept the option and need none. */
const waitSeconds = 5;

/** `iptables v1.8.9 (nf_tables)`. */
export function parseIptablesVersion(text: string): IptablesInfo {
  const match = /v(\d+\.\d+(?:\.\d+)?)(?: \((\w+)\))?/.exec(text);
  // Before 1.8 there was only what is called legacy now.
  return {
    version: match?.[1] ?? '0.0',
    variant: match?.[2] === 'nf_tables' ? 'nft' : 'legacy',
  };
}

/** Finds out what `iptables` is here; throws IptablesMissing when it is not installed. */
export async function detectIptables(family: IpFamily = 4): Promise<IptablesInfo> {
  const command = family === 4 ? 'iptables' : 'ip6tables';
  try {
    const { stdout } = await runCommand({ command, args: ['--version'], timeoutMs });
    return parseIptablesVersion(stdout);
  } catch (error) {
    if (error instanceof CommandError && error.failure === 'not-found') {
      throw new K3tsError(
        'IptablesMissing',
        `${command} not found in PATH: install it (apt-get install iptables)`,
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * Runs tasks of one family one after the other, so that batches do not wait on each other's lock.
 */
function createSequence(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const next = last.then(task, task);
    last = next.catch(() => undefined);
    return next;
  };
}

export async function openIptables(options: {
  family: IpFamily;
  signal?: AbortSignal | undefined;
}): Promise<Iptables> {
  const { family, signal } = options;
  const info = await detectIptables(family);
  const prefix = family === 4 ? 'iptables' : 'ip6tables';
  const inSequence = createSequence();
  const wait = String(waitSeconds);
  return {
    family,
    info,
    restore: (batch) =>
      inSequence(async () => {
        await runCommand({
          command: `${prefix}-restore`,
          args: ['--noflush', '--wait', wait],
          stdin: batch,
          timeoutMs,
          signal,
        });
      }),
    save: (table) =>
      inSequence(async () => {
        const args = ['-t', table];
        return (await runCommand({ command: `${prefix}-save`, args, timeoutMs, signal })).stdout;
      }),
    check: (args) =>
      inSequence(async () => {
        const { exitCode } = await runCommand({
          command: prefix,
          args: ['--wait', wait, ...args],
          timeoutMs,
          signal,
          okExitCodes: [0, 1],
        });
        return exitCode === 0;
      }),
    run: (args) =>
      inSequence(async () => {
        await runCommand({ command: prefix, args: ['--wait', wait, ...args], timeoutMs, signal });
      }),
  };
}
