import { runCommand } from './process.ts';

const timeoutMs = 30_000;

/** Applies an nft script in one transaction: all of it or nothing. */
export async function applyNft(script: string, signal?: AbortSignal): Promise<void> {
  await runCommand({ command: 'nft', args: ['-f', '-'], stdin: `${script}\n`, timeoutMs, signal });
}

/** The answer of `nft -j list …` parsed; its entries are in the order of the kernel. */
export async function listNft(
  what: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await runCommand({
    command: 'nft',
    args: ['-j', 'list', ...what],
    timeoutMs,
    signal,
  });
  return (JSON.parse(stdout) as { nftables: Record<string, unknown>[] }).nftables;
}
