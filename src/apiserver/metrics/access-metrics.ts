import type { Clock } from '#base/clock.ts';
import type { Counter, HistogramSeries, MetricRegistry } from '#base/metrics.ts';
import { hasReason } from '#base/api-status-error.ts';
import type { RequestAuthenticator } from '../authn/mod.ts';
import type { Authorizer } from '../authz/authorizer.ts';

/** From a millisecond on, each twice the one before: upstream's. */
const buckets = Array.from({ length: 15 }, (_, power) => 2 ** power / 1000);
/** Users that are counted by name; all others would be too many labels. */
const knownUsers: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
]);

interface Described {
  readonly name: string;
  readonly help: string;
}

/** Counts a result and its time; series are looked up once each. */
function createObserver(
  registry: MetricRegistry,
  clock: Clock,
  described: { readonly attempts: Described; readonly seconds: Described },
): (result: string, startMs: number) => void {
  const common = { stability: 'ALPHA', labels: ['result'] } as const;
  const attempts = registry.counter({ ...described.attempts, ...common });
  const seconds = registry.histogram({ ...described.seconds, ...common, buckets });
  const known = new Map<string, { counter: Counter; series: HistogramSeries }>();
  return (result, startMs) => {
    let found = known.get(result);
    if (found === undefined) {
      found = { counter: attempts.with(result), series: seconds.with(result) };
      known.set(result, found);
    }
    found.counter.value++;
    found.series.observe((clock.monotonicMs() - startMs) / 1000);
  };
}

/** Counts who is known and how long it takes to find out. */
export function meterAuthenticator(
  inner: RequestAuthenticator,
  registry: MetricRegistry,
  clock: Clock,
): RequestAuthenticator {
  const users = registry.counter({
    name: 'authenticated_user_requests',
    help: 'Requests that were authenticated, by user name.',
    stability: 'ALPHA',
    labels: ['username'],
  });
  const observe = createObserver(registry, clock, {
    attempts: { name: 'authentication_attempts', help: 'Attempts to authenticate, by result.' },
    seconds: {
      name: 'authentication_duration_seconds',
      help: 'Time that authentication takes in seconds, by result.',
    },
  });
  return {
    async authenticate(credentials) {
      const startMs = clock.monotonicMs();
      try {
        const found = await inner.authenticate(credentials);
        const { name } = found.user;
        const shown = knownUsers.has(name) ? name : name.includes('@') ? 'email_id' : 'other';
        users.with(shown).value++;
        observe('success', startMs);
        return found;
      } catch (error) {
        observe(hasReason(error, 'Unauthorized') ? 'failure' : 'error', startMs);
        throw error;
      }
    },
  };
}

const results = { allow: 'allowed', deny: 'denied', 'no-opinion': 'no-opinion' } as const;

/** Counts what is allowed and how long it takes to decide. */
export function meterAuthorizer(
  inner: Authorizer,
  registry: MetricRegistry,
  clock: Clock,
): Authorizer {
  const observe = createObserver(registry, clock, {
    attempts: { name: 'authorization_attempts_total', help: 'Attempts to authorize, by result.' },
    seconds: {
      name: 'authorization_duration_seconds',
      help: 'Time that authorization takes in seconds, by result.',
    },
  });
  return {
    async authorize(request) {
      const startMs = clock.monotonicMs();
      try {
        const verdict = await inner.authorize(request);
        const isError = verdict.error !== undefined && verdict.decision !== 'allow';
        observe(isError ? 'error' : results[verdict.decision], startMs);
        return verdict;
      } catch (error) {
        observe('error', startMs);
        throw error;
      }
    },
  };
}
