import { messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Extender } from './extender/mod.ts';
import type { PodInfo } from './framework/node-info.ts';
import type { CycleState } from './framework/plugin.ts';
import type { Profile } from './framework/profile.ts';
import { failed, isSuccess } from './framework/status.ts';
import type { Status } from './framework/status.ts';

/**
 * Permit, PreBind and Bind; the first that refuses ends it. An extender that binds and manages the
 * pod takes the place of the Bind plugins. Never rejects.
 */
export async function bindPod(options: {
  profile: Profile;
  state: CycleState;
  pod: PodInfo;
  nodeName: string;
  extenders: readonly Extender[];
}): Promise<Status | undefined> {
  const { profile, state, pod, nodeName, extenders } = options;
  const subject = { key: `pods/${pod.key}`, uid: pod.pod.metadata.uid, detail: nodeName };
  return await traced('pod.bind', subject, async () => {
    try {
      const allowed = await profile.permitAndPreBind(state, pod, nodeName);
      if (!isSuccess(allowed)) return allowed;
      const binder = extenders.find((one) => one.canBind && one.isInterestedIn(pod.pod));
      if (binder !== undefined) {
        await binder.bind(pod.pod, nodeName);
        return undefined;
      }
      const bound = await profile.bind(state, pod, nodeName);
      return isSuccess(bound) ? undefined : failed(`binding rejected: ${reasonsOf(bound)}`);
    } catch (error) {
      return failed(messageOf(error));
    }
  });
}

function reasonsOf(status: Status | undefined): string {
  return status?.reasons.join(', ') ?? '';
}
