import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';

import { ApiStatusError } from '#base/api-status-error.ts';
import { FakeClock } from '#base/fake-clock.ts';
import { MetricRegistry } from '#base/metrics.ts';
import { seededRandom } from '#base/random.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '#schema/types.ts';

import { FakeObjectReader } from '../authz/fake-object-reader.ts';
import { defaultFlowSchemas, defaultPriorityLevels } from '../bootstrap/flow-control.ts';
import { createRequestContext } from '../pipeline/request-context.ts';
import type { RequestContext, UserInfo } from '../request.ts';
import { readRequestInfo } from '../request-info.ts';
import { RequestTrail } from '../request-trail.ts';
import { createDumpRoutes } from './dumps.ts';
import { FlowControl, flowSchemas, priorityLevels } from './flow-control.ts';
import type { FlowTicket } from './flow-control.ts';

const admin: UserInfo = { name: 'root', groups: ['system:masters', 'system:authenticated'] };
const person: UserInfo = { name: 'jane', groups: ['system:authenticated'] };
const robot: UserInfo = {
  name: 'system:serviceaccount:web:robot',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:web', 'system:authenticated'],
};
const manager: UserInfo = {
  name: 'system:kube-controller-manager',
  groups: ['system:authenticated'],
};

let reader: FakeObjectReader;
let clock: FakeClock;
let metrics: MetricRegistry;

function request(user: UserInfo, path = '/api/v1/namespaces/n/pods/p', method = 'GET') {
  const end = new AbortController();
  const context = createRequestContext({
    info: readRequestInfo(method, path, ''),
    user,
    query: '',
    userAgent: 'test',
    random: seededRandom(1),
    signal: () => end.signal,
    trail: new RequestTrail(),
  });
  return Object.assign(context, { leave: () => end.abort() });
}

const control = (totalSeats = 600): FlowControl =>
  new FlowControl({ reader, clock, metrics, totalSeats });

const enter = (flow: FlowControl, context: RequestContext, timeoutMs = 60_000) =>
  flow.enter(context, undefined, timeoutMs);

async function refusalOf(work: () => unknown): Promise<ApiStatusError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof ApiStatusError);
    return error;
  }
  throw new assert.AssertionError({ message: 'it was let in' });
}

/** One level of one seat with a short queue for everybody but admins. */
function tightLevel(spec: object): void {
  const level = defaultPriorityLevels().find(({ metadata }) => metadata.name === 'exempt');
  reader.put(
    priorityLevels,
    level as PriorityLevelConfiguration,
    {
      metadata: { name: 'tight', uid: 'level-1' },
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 5, ...spec } },
    } as PriorityLevelConfiguration,
  );
  reader.put(flowSchemas, {
    metadata: { name: 'tight', uid: 'schema-1' },
    spec: {
      priorityLevelConfiguration: { name: 'tight' },
      matchingPrecedence: 50,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: '*' } }],
          resourceRules: [
            {
              verbs: ['*'],
              apiGroups: ['*'],
              resources: ['*'],
              clusterScope: true,
              namespaces: ['*'],
            },
          ],
        },
      ],
    },
  } as FlowSchema);
}

beforeEach(() => {
  reader = new FakeObjectReader();
  clock = new FakeClock();
  metrics = new MetricRegistry();
});

describe('classification with the default objects', () => {
  beforeEach(() => {
    reader.put(priorityLevels, ...defaultPriorityLevels());
    reader.put(flowSchemas, ...defaultFlowSchemas());
  });

  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/x';
  const cases: readonly [string, UserInfo, string, string][] = [
    ['an admin', admin, '/api/v1/pods', 'exempt'],
    ['a probe', person, '/healthz', 'probes'],
    ['a path', person, '/version', 'global-default'],
    ['a person', person, '/api/v1/pods', 'global-default'],
    ['a service account', robot, '/api/v1/pods', 'service-accounts'],
    ['a manager', manager, '/api/v1/pods', 'kube-controller-manager'],
    ['a manager for its lease', manager, lease, 'system-leader-election'],
    [
      'a node for itself',
      { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] },
      '/api/v1/nodes/a',
      'system-node-high',
    ],
    [
      'a node for pods',
      { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] },
      '/api/v1/pods',
      'system-nodes',
    ],
    [
      'an account of kube-system',
      { name: 'system:serviceaccount:kube-system:x', groups: ['system:serviceaccounts'] },
      '/api/v1/pods',
      'kube-system-service-accounts',
    ],
    ['somebody without groups', { name: 'x', groups: [] }, '/api/v1/pods', 'catch-all'],
  ];

  for (const [who, user, path, expected] of cases) {
    test(`${who} that asks for ${path} is in ${expected}`, () => {
      const flow = control();
      const found = flow.state.classify(user, readRequestInfo('GET', path, ''));
      assert.equal(found.schema.name, expected);
    });
  }

  test('a schema whose level does not exist is passed over', () => {
    reader.remove(priorityLevels, '', 'workload-low');
    const found = control().state.classify(robot, readRequestInfo('GET', '/api/v1/pods', ''));
    assert.equal(found.schema.name, 'global-default');
  });
});

test('without objects the mandatory ones hold', () => {
  const flow = control();
  const of = (user: UserInfo): string =>
    flow.state.classify(user, readRequestInfo('GET', '/api/v1/pods', '')).schema.name;
  assert.deepEqual([of(admin), of(person)], ['exempt', 'catch-all']);
});

describe('a level with one seat and a queue', () => {
  beforeEach(() =>
    tightLevel({
      limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } },
    }),
  );

  test('answers name the objects in force', () => {
    const context = request(person);
    const ticket = enter(control(2), context) as FlowTicket;
    assert.deepEqual(context.trail?.headers, {
      'X-Kubernetes-Pf-Flowschema-Uid': 'schema-1',
      'X-Kubernetes-Pf-Prioritylevel-Uid': 'level-1',
    });
    ticket.release();
  });

  test('the second waits for the first, the third is refused with 429', async () => {
    const flow = control(2);
    const first = enter(flow, request(person)) as FlowTicket;
    const second = enter(flow, request(robot));
    assert.ok(second instanceof Promise);
    const refusal = await refusalOf(() => enter(flow, request(person)));
    assert.equal(refusal.httpCode, 429);
    assert.equal(refusal.reason, 'TooManyRequests');
    assert.equal(refusal.message, 'Too many requests, please try again later.');
    assert.equal(refusal.details?.retryAfterSeconds, 1);
    first.release();
    (await second).release();
    const text = await metrics.render();
    const labels = 'flow_schema="tight",priority_level="tight"';
    assert.match(text, new RegExp(`rejected_requests_total{${labels},reason="queue-full"} 1`));
    assert.match(text, new RegExp(`dispatched_requests_total{${labels}} 2`));
    assert.match(text, new RegExp(`current_inqueue_requests{${labels}} 0`));
  });

  test('a quarter of the time limit may be spent waiting', async () => {
    const flow = control(2);
    const first = enter(flow, request(person)) as FlowTicket;
    const refusal = refusalOf(() => enter(flow, request(robot), 20_000));
    await clock.advance(4999);
    assert.equal([...flow.entries].length, 2);
    await clock.advance(1);
    assert.equal((await refusal).httpCode, 429);
    first.release();
    assert.equal([...flow.entries].length, 0);
  });

  test('a client that leaves gives up its place', async () => {
    const flow = control(2);
    const first = enter(flow, request(person)) as FlowTicket;
    const waiting = request(robot);
    const refusal = refusalOf(() => enter(flow, waiting));
    waiting.leave();
    await refusal;
    const third = enter(flow, request(manager));
    assert.ok(third instanceof Promise);
    first.release();
    first.release();
    (await third).release();
    assert.deepEqual(flow.current, { readOnly: 0, mutating: 0 });
  });

  test('the dumps show who waits for what', async () => {
    const flow = control(2);
    const first = enter(flow, request(person)) as FlowTicket;
    const second = enter(flow, request(robot, '/api/v1/namespaces/web/pods', 'POST'));
    const routes = createDumpRoutes({ flowControl: flow, clock });
    const dump = async (name: string, query = ''): Promise<string> => {
      const context = request(admin);
      Object.defineProperty(context, 'query', { value: new URLSearchParams(query) });
      const path = `/debug/api_priority_and_fairness/${name}`;
      const route = routes.find((one) => one.path === path);
      return String((await route?.handle({ context, method: 'GET', path, headers: {} }))?.body);
    };
    assert.match(await dump('dump_priority_levels'), /^tight, +1, +false, +false, +1, +1, +1, /m);
    assert.match(await dump('dump_queues'), /^tight, +0, +1, +1, +1, +\d+\.\d{8}ss, +1, +1, /m);
    assert.match(
      await dump('dump_requests', 'includeRequestDetails=1'),
      /^tight, +tight, +0, +0, +system:serviceaccount:web:robot, .*0001-01-01T00:00:00Z, .*create, /m,
    );
    first.release();
    (await second).release();
  });
});

test('a level without a queue refuses at once', async () => {
  tightLevel({ limitResponse: { type: 'Reject' } });
  const flow = control(2);
  const first = enter(flow, request(person)) as FlowTicket;
  assert.equal((await refusalOf(() => enter(flow, request(robot)))).httpCode, 429);
  const exempt = enter(flow, request(admin, '/healthz')) as FlowTicket;
  exempt.release();
  first.release();
  assert.match(await metrics.render(), /reason="concurrency-limit"} 1/);
});

test('a change of the objects acts on the next request', () => {
  tightLevel({ limitResponse: { type: 'Reject' } });
  const flow = control(2);
  void enter(flow, request(person));
  tightLevel({ nominalConcurrencyShares: 500, limitResponse: { type: 'Reject' } });
  const second = enter(flow, request(robot)) as FlowTicket;
  second.release();
  assert.equal(flow.state.levels.find(({ name }) => name === 'tight')?.nominalSeats, 2);
});

test('no timer is left when nothing is asked any more', async () => {
  const flow = control();
  (enter(flow, request(person)) as FlowTicket).release();
  await clock.advance(10_000);
  assert.equal(clock.pendingTimers, 0);
  flow.close();
});
