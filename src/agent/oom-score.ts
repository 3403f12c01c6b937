import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { setOomScoreAdj } from '#host/oom-score.ts';

/**
 * Has the kernel spare the agent, and what it starts, when memory runs out. In a container it often
 * may not (CAP_SYS_RESOURCE): that is a warning only for a score that somebody asked for.
 */
export async function keepFromOomKiller(options: {
  value: number;
  /** The value is of the kubelet's configuration, not its default. */
  isGiven: boolean;
  log: Logger;
  /** For tests. */
  set?: ((value: number) => Promise<void>) | undefined;
}): Promise<void> {
  const { value, isGiven, log, set = setOomScoreAdj } = options;
  try {
    await set(value);
  } catch (error) {
    const isForbidden = hasCode(error, 'EACCES') || hasCode(error, 'EPERM');
    if (isForbidden && !isGiven) {
      const problem = 'the capability SYS_RESOURCE is missing';
      log.info(`The OOM score of the agent stays as it is: ${problem}`, { wanted: value });
      return;
    }
    const fields = { wanted: value, error: messageOf(error) };
    log.warning('Cannot set the OOM score of the agent', fields);
  }
}
