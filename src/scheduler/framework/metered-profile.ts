import type { Clock } from '#base/clock.ts';
import type { SchedulerMetrics } from '../scheduler-metrics.ts';
import type { Profile } from './profile.ts';
import { isSuccess } from './status.ts';
import type { Status } from './status.ts';

/** As upstream's label: a refusal that changes nothing is none. */
function labelOf(status: Status | undefined): string {
  return isSuccess(status) ? 'Success' : (status?.code ?? 'Success');
}

/**
 * The profile with the time of each extension point measured. Filter is measured over all nodes by
 * who searches them; Score with what goes before and after it.
 */
export function meteredProfile(profile: Profile, metrics: SchedulerMetrics, clock: Clock): Profile {
  const { schedulerName } = profile;
  const note = (point: string, status: Status | undefined, startMs: number): void => {
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.extended(point, schedulerName, labelOf(status), seconds);
  };
  return {
    ...profile,
    preFilter(state, pod, snapshot) {
      const startMs = clock.monotonicMs();
      const outcome = profile.preFilter(state, pod, snapshot);
      note('PreFilter', outcome.status, startMs);
      return outcome;
    },
    postFilter(state, pod, attempt) {
      const startMs = clock.monotonicMs();
      const outcome = profile.postFilter(state, pod, attempt);
      if (!(outcome instanceof Promise)) {
        note('PostFilter', outcome?.status, startMs);
        return outcome;
      }
      return outcome.then((result) => {
        note('PostFilter', result.status, startMs);
        return result;
      });
    },
    score(state, pod, nodes, snapshot) {
      const startMs = clock.monotonicMs();
      const outcome = profile.score(state, pod, nodes, snapshot);
      note('Score', outcome.status, startMs);
      return outcome;
    },
    reserve(state, pod, nodeName) {
      const startMs = clock.monotonicMs();
      const status = profile.reserve(state, pod, nodeName);
      note('Reserve', status, startMs);
      return status;
    },
    async permitAndPreBind(state, pod, nodeName) {
      const startMs = clock.monotonicMs();
      const status = await profile.permitAndPreBind(state, pod, nodeName);
      note('PreBind', status, startMs);
      return status;
    },
    async bind(state, pod, nodeName) {
      const startMs = clock.monotonicMs();
      const status = await profile.bind(state, pod, nodeName);
      note('Bind', status, startMs);
      return status;
    },
  };
}
