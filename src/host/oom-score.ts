import { writeFile } from 'node:fs/promises';

/**
 * How early the kernel kills this process, and those it starts from now on, when memory runs out:
 * -1000 to 1000. Throws when this process may not have it: less than before needs CAP_SYS_RESOURCE.
 */
export async function setOomScoreAdj(value: number): Promise<void> {
  await writeFile('/proc/self/oom_score_adj', String(value));
}
