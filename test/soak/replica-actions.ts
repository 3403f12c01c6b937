import type { Action, ChurnContext } from './churn-context.ts';
import { namespace } from './manifests.ts';

export interface ReplicaActions {
  exec: Action;
  crash: Action;
  readLog: Action;
  remove: Action;
  removeOwned: Action;
}

/**
 * What is done to pods that controllers made. Pods and processes may go away meanwhile, so these
 * are tried once and may be refused; a wrong answer is a problem.
 */
export function replicaActions(context: ChurnContext): ReplicaActions {
  const { api, desired, problems, pick, random } = context;
  const { core } = api;

  /** A pod that serves, as the API shows them now. */
  const readyReplica = async (): Promise<string | undefined> => {
    const labelSelector = `app=${pick([...desired.deployments.keys()])}`;
    const { items } = await core.listNamespacedPod({ namespace, labelSelector });
    const ready = items.filter(
      ({ metadata, status }) =>
        metadata?.deletionTimestamp === undefined &&
        status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    );
    return pick(ready)?.metadata?.name;
  };
  const attempt =
    (work: (name: string) => Promise<void>): Action =>
    async () => {
      try {
        const name = await readyReplica();
        if (name === undefined) return false;
        await work(name);
        return true;
      } catch {
        return false;
      }
    };
  return {
    exec: attempt(async (name) => {
      const answer = (await api.exec(name, 'main', ['hostname'])).trim();
      if (answer !== name) problems.push(`exec in ${name} was answered by ${answer}`);
    }),
    // The shell of the container waits for this process and ends with it.
    crash: attempt(async (name) => {
      await api.exec(name, 'main', ['killall', '-9', 'httpd']);
    }),
    readLog: attempt(async (name) => {
      const log = await core.readNamespacedPodLog({ name, namespace, container: 'main' });
      // A container that starts again may hear `Terminated` from its lock first, see image.ts.
      const lines = log.split('\n');
      if (!lines.includes(`${name} main starts`)) problems.push(`log of ${name}: ${log}`);
    }),
    remove: attempt(async (name) => {
      await core.deleteNamespacedPod({ name, namespace });
    }),
    removeOwned: attempt(async () => {
      await core.deleteNamespacedPod({ name: `own-${random.integer(3)}`, namespace });
    }),
  };
}
