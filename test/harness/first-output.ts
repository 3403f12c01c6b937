import type { ChildProcess } from 'node:child_process';

/** Resolves at the first output of a child, rejects when it ends before. */
export async function firstOutput(child: ChildProcess, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout?.once('data', () => resolve());
  child.once('error', reject);
  child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  await promise;
  child.stdout?.destroy();
}
