import { systemClock } from '#base/clock.ts';
import { Connection, readTarget } from './connection.ts';

const askEveryMs = 10;

/** When /readyz said ok and when a node was Ready, as times of the day in milliseconds. */
export interface StartTimes {
  readonly readyzMs: number;
  readonly nodeReadyMs: number | undefined;
}

/** Started before the server; asks it every 10 ms from then on. */
export async function watchStart(options: {
  kubeconfig: string;
  hasNode: boolean;
  timeoutMs: number;
}): Promise<StartTimes> {
  const untilMs = systemClock.now() + options.timeoutMs;
  const until = async (condition: () => Promise<boolean>): Promise<number> => {
    while (!(await condition())) {
      if (systemClock.now() > untilMs) throw new Error('the server does not get ready');
      await systemClock.sleep(askEveryMs);
    }
    return systemClock.now();
  };
  let opened: Connection | undefined;
  const readyzMs = await until(async () => {
    try {
      opened ??= await Connection.open(readTarget(options.kubeconfig));
      return (await opened.request('GET', '/readyz')).status === 200;
    } catch {
      // No kubeconfig, nobody listens, or a connection that was closed again.
      opened?.close();
      opened = undefined;
      return false;
    }
  });
  const connection = opened!;
  try {
    if (!options.hasNode) return { readyzMs, nodeReadyMs: undefined };
    const nodeReadyMs = await until(async () => {
      const answer = await connection.request('GET', '/api/v1/nodes');
      return answer.body.includes('"reason":"KubeletReady"');
    });
    return { readyzMs, nodeReadyMs };
  } finally {
    connection.close();
  }
}
