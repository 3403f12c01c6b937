import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import type { AuthorizationRequest } from '../authorizer.ts';
import { reviewSpecOf } from '../review-spec.ts';
import { createConditionEnvironment, matchConditions } from './match-conditions.ts';
import { createWebhookAuthorizer } from './webhook-authorizer.ts';

const resource = {
  verb: 'list',
  group: 'apps',
  version: 'v1',
  resource: 'deployments',
  subresource: '',
  namespace: 'ns',
  name: '',
};
const request: AuthorizationRequest = {
  user: { name: 'jane', groups: ['dev'], uid: 'u', extra: { k: ['v'] } },
  path: '/apis/apps/v1/namespaces/ns/deployments',
  verb: 'list',
  resource,
};

function setUp(
  answers: (object | Error)[],
  failurePolicy: 'NoOpinion' | 'Deny' = 'NoOpinion',
  version: 'v1' | 'v1beta1' = 'v1',
) {
  const clock = new FakeClock();
  const asked: unknown[] = [];
  const authorizer = createWebhookAuthorizer({
    name: 'w',
    client: {
      async call(_config, body) {
        asked.push(body);
        const answer = answers.shift() ?? new Error('no answer left');
        if (answer instanceof Error) throw Object.assign(answer, { statusCode: 400 });
        return { status: answer };
      },
      close: () => undefined,
    },
    config: { url: 'https://hook' },
    timeoutMs: 1000,
    authorizedTtlMs: 60_000,
    unauthorizedTtlMs: 10_000,
    failurePolicy,
    conditions: [],
    version,
    clock,
    log: silentLogger,
  });
  return { clock, asked, authorizer };
}

describe('a webhook authorizer', () => {
  it('names groups as the version of the review does', async () => {
    for (const [version, name] of [
      ['v1', 'groups'],
      ['v1beta1', 'group'],
    ] as const) {
      const { asked, authorizer } = setUp([{ allowed: true }], 'Deny', version);
      await authorizer.authorize(request);
      const [body] = asked as { apiVersion: string; spec: Record<string, unknown> }[];
      assert.equal(body?.apiVersion, `authorization.k8s.io/${version}`);
      assert.deepEqual(body.spec[name], ['dev']);
      assert.equal('groups' in body.spec, version === 'v1');
    }
  });

  it('remembers what it allowed longer than what it refused', async () => {
    const no = { allowed: false, reason: 'no' };
    const { clock, asked, authorizer } = setUp([no, { allowed: true }, no]);
    assert.deepEqual(await authorizer.authorize(request), {
      decision: 'no-opinion',
      reason: 'no',
    });
    await clock.advance(9000);
    await authorizer.authorize(request);
    assert.equal(asked.length, 1);
    await clock.advance(2000);
    assert.equal((await authorizer.authorize(request)).decision, 'allow');
    await clock.advance(59_000);
    assert.equal((await authorizer.authorize(request)).decision, 'allow');
    await clock.advance(2000);
    assert.equal((await authorizer.authorize(request)).decision, 'no-opinion');
    assert.equal(asked.length, 3);
  });

  it('denies only when it says so, and never both ways', async () => {
    const { authorizer } = setUp([{ allowed: false, denied: true, reason: 'never' }]);
    assert.deepEqual(await authorizer.authorize(request), { decision: 'deny', reason: 'never' });
    const both = setUp([{ allowed: true, denied: true, reason: 'odd' }]);
    assert.deepEqual(await both.authorizer.authorize(request), {
      decision: 'deny',
      reason: 'odd',
      error: 'webhook subject access review returned both allow and deny response',
    });
  });

  it('that fails means what its policy says, and is asked again', async () => {
    const open = setUp([new Error('gone'), { allowed: true }]);
    assert.deepEqual(await open.authorizer.authorize(request), {
      decision: 'no-opinion',
      reason: '',
      error: 'gone',
    });
    assert.equal((await open.authorizer.authorize(request)).decision, 'allow');
    const closed = setUp([new Error('gone')], 'Deny');
    assert.deepEqual(await closed.authorizer.authorize(request), {
      decision: 'deny',
      reason: '',
      error: 'gone',
    });
  });
});

describe('the question of a SubjectAccessReview', () => {
  it('holds the selectors that can be read', () => {
    const selecting = {
      ...resource,
      fieldSelector: 'metadata.name=a,spec.nodeName!=n',
      labelSelector: 'app in (x,y),!gone,there',
    };
    assert.deepEqual(reviewSpecOf({ ...request, resource: selecting }), {
      resourceAttributes: {
        verb: 'list',
        group: 'apps',
        version: 'v1',
        resource: 'deployments',
        namespace: 'ns',
        fieldSelector: {
          requirements: [
            { key: 'metadata.name', operator: 'In', values: ['a'] },
            { key: 'spec.nodeName', operator: 'NotIn', values: ['n'] },
          ],
        },
        labelSelector: {
          requirements: [
            { key: 'app', operator: 'In', values: ['x', 'y'] },
            { key: 'gone', operator: 'DoesNotExist' },
            { key: 'there', operator: 'Exists' },
          ],
        },
      },
      user: 'jane',
      groups: ['dev'],
      extra: { k: ['v'] },
      uid: 'u',
    });
    const broken = { ...resource, labelSelector: 'a=b=c' };
    const spec = reviewSpecOf({ ...request, resource: broken });
    assert.equal(spec.resourceAttributes?.labelSelector, undefined);
  });
});

describe('match conditions', () => {
  const environment = createConditionEnvironment();
  const matches = (...expressions: string[]) =>
    matchConditions(
      expressions.map((expression) => environment.compile(expression)),
      request,
    );

  it('have to hold all', () => {
    assert.deepEqual(matches('request.user == "jane"', '"dev" in request.groups'), {
      isMatch: true,
    });
    assert.deepEqual(matches('request.resourceAttributes.namespace == "other"'), {
      isMatch: false,
    });
    assert.deepEqual(matches('has(request.nonResourceAttributes)'), { isMatch: false });
  });

  it('a false one counts more than a broken one', () => {
    const broken = 'request.extra["none"] == ["x"]';
    assert.match(matches(broken).error ?? '', /no such key/);
    assert.deepEqual(matches(broken, 'false'), { isMatch: false });
  });
});
