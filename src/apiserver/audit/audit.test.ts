import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { FakeClock } from '#base/fake-clock.ts';
import { silentLogger } from '#base/log.ts';
import { MetricRegistry } from '#base/metrics.ts';

import { readRequestInfo } from '../request-info.ts';
import { createAuditor } from './auditor.ts';
import { createBatches } from './batch.ts';
import type { AuditEvent } from './event.ts';
import { sourceIps } from './event.ts';
import { createLogBackend } from './log-backend.ts';
import { parseAuditPolicy } from './policy.ts';
import { truncateEvents } from './truncate.ts';

const json = { 'Content-Type': 'application/json' };

function audit(level: string, more = '') {
  const events: AuditEvent[] = [];
  const clock = new FakeClock(Date.UTC(2026, 0, 1));
  const metrics = new MetricRegistry();
  const auditor = createAuditor({
    policy: parseAuditPolicy(
      `apiVersion: audit.k8s.io/v1\nkind: Policy\n${more}rules: [{level: ${level}}]`,
      'p',
    ),
    backend: {
      write: (some) => void events.push(...some),
      close: () => Promise.resolve(),
    },
    clock,
    metrics,
  });
  const of = auditor.begin({
    auditId: 'id-1',
    uri: '/api/v1/namespaces/n/configmaps?dryRun=All',
    user: { name: 'jane', groups: ['g'], extra: { k: ['v'] } },
    info: readRequestInfo('POST', '/api/v1/namespaces/n/configmaps', 'dryRun=All'),
    sourceIps: ['10.0.0.1'],
    userAgent: 'test',
    receivedMs: clock.now(),
  });
  return { events, clock, metrics, audit: of };
}

const body = Buffer.from(
  JSON.stringify({ metadata: { name: 'c', managedFields: [{}] }, data: { a: '1' } }),
);

describe('the events of a request', () => {
  test('at level Metadata tell who asked for what, and how it ended, without bodies', async () => {
    const { events, clock, audit: one } = audit('Metadata');
    void one?.received();
    await clock.advance(5);
    one?.noteBody(body, 'application/json');
    one?.annotate('authorization.k8s.io/decision', 'allow');
    one?.annotate('authorization.k8s.io/decision', 'forbid');
    one?.impersonate({ name: 'other', groups: [] }, 'impersonate:user-info');
    one?.noteAnswer(201, json, Buffer.from('{"kind":"ConfigMap"}'));
    one?.completed(201);
    one?.completed(201);
    assert.deepEqual(events[0], {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'Metadata',
      auditID: 'id-1',
      stage: 'RequestReceived',
      requestURI: '/api/v1/namespaces/n/configmaps?dryRun=All',
      verb: 'create',
      user: { username: 'jane', groups: ['g'], extra: { k: ['v'] } },
      sourceIPs: ['10.0.0.1'],
      userAgent: 'test',
      objectRef: { resource: 'configmaps', namespace: 'n', apiVersion: 'v1' },
      requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
      stageTimestamp: '2026-01-01T00:00:00.000000Z',
    });
    assert.equal(events.length, 2);
    const { stage, objectRef, responseStatus, annotations, impersonatedUser } = events[1] ?? {};
    assert.deepEqual(
      { stage, objectRef, responseStatus, annotations, impersonatedUser },
      {
        stage: 'ResponseComplete',
        objectRef: { resource: 'configmaps', namespace: 'n', name: 'c', apiVersion: 'v1' },
        responseStatus: { metadata: {}, code: 201 },
        annotations: { 'authorization.k8s.io/decision': 'allow' },
        impersonatedUser: { username: 'other' },
      },
    );
    assert.deepEqual(events[1]?.authenticationMetadata, {
      impersonationConstraint: 'impersonate:user-info',
    });
    assert.equal('requestObject' in (events[1] ?? {}), false);
    assert.equal(events[1]?.stageTimestamp, '2026-01-01T00:00:00.005000Z');
  });

  test('that took long tell how long', async () => {
    const { events, clock, audit: one } = audit('Metadata');
    await clock.advance(1500);
    one?.completed(200);
    assert.deepEqual(events[0]?.annotations, { 'apiserver.latency.k8s.io/total': '1.5s' });
  });

  test('at level RequestResponse carry both bodies, without managed fields when so told', () => {
    const { events, audit: one } = audit('RequestResponse', 'omitManagedFields: true\n');
    one?.noteBody(body, 'application/json');
    one?.noteAnswer(201, json, body);
    one?.completed(201);
    const plain = { metadata: { name: 'c' }, data: { a: '1' } };
    assert.deepEqual([events[0]?.requestObject, events[0]?.responseObject], [plain, plain]);
  });

  test('of a failure carry its reason at every level', () => {
    const { events, audit: one } = audit('Metadata');
    const status = {
      kind: 'Status',
      status: 'Failure',
      reason: 'Conflict',
      message: 'm',
      code: 409,
    };
    one?.noteAnswer(409, json, Buffer.from(JSON.stringify(status)));
    one?.completed(409);
    assert.deepEqual(events[0]?.responseStatus, {
      metadata: {},
      status: 'Failure',
      message: 'm',
      reason: 'Conflict',
      code: 409,
    });
  });

  test('of a streamed answer end with its body', () => {
    const { events, audit: one } = audit('RequestResponse');
    one?.streaming();
    one?.completed(200);
    assert.equal(events.length, 0);
    one?.noteAnswer(200, json, Buffer.from('{"items":[]}'));
    one?.streamed();
    assert.deepEqual(events[0]?.responseObject, { items: [] });
  });

  test('are none at level None, and counted otherwise', async () => {
    assert.equal(audit('None').audit, undefined);
    const { metrics, audit: one } = audit('Metadata');
    one?.panicked('boom');
    const text = await metrics.render();
    assert.match(text, /apiserver_audit_event_total 1/);
    assert.match(text, /apiserver_audit_level_total{level="Metadata"} 1/);
  });

  test('of a bug of the server have the stage Panic and code 500', () => {
    const { events, audit: one } = audit('Metadata');
    one?.panicked('boom');
    one?.completed(500);
    assert.deepEqual(
      events.map(({ stage }) => stage),
      ['Panic'],
    );
    assert.match(JSON.stringify(events[0]?.responseStatus), /"code":500/);
  });
});

test('addresses come from the headers of proxies, then from the connection', () => {
  assert.deepEqual(sourceIps({ 'x-forwarded-for': '1.1.1.1, 2.2.2.2' }, '3.3.3.3'), [
    '1.1.1.1',
    '2.2.2.2',
    '3.3.3.3',
  ]);
  assert.deepEqual(sourceIps({}, '::ffff:127.0.0.1'), ['127.0.0.1']);
});

const event = (n: number): AuditEvent => ({ auditID: String(n) }) as AuditEvent;

describe('batches', () => {
  const batch = { bufferSize: 5, maxSize: 2, maxWaitMs: 1000, throttle: undefined };

  test('leave when they are full or old, and at the end; what does not fit is dropped', async () => {
    const clock = new FakeClock();
    const sent: string[][] = [];
    let dropped = 0;
    const batches = createBatches({
      batch,
      clock,
      deliver: (events) => {
        sent.push(events.map(({ auditID }) => auditID));
        return Promise.resolve();
      },
      onDrop: (count) => (dropped += count),
    });
    void batches.write([event(1)]);
    await clock.advance(999);
    assert.deepEqual(sent, []);
    await clock.advance(1);
    assert.deepEqual(sent, [['1']]);
    void batches.write([2, 3, 4, 5, 6, 7, 8].map(event));
    await clock.advance(0);
    assert.equal(dropped, 2);
    await batches.close();
    assert.deepEqual(sent.flat(), ['1', '2', '3', '4', '5', '6']);
    assert.ok(sent.every(({ length }) => length <= 2));
  });

  test('go on after a wait that ended while one of them was under way', async () => {
    const clock = new FakeClock();
    const sent: string[] = [];
    const batches = createBatches({
      batch: { ...batch, bufferSize: 100, maxSize: 10 },
      clock,
      deliver: async (events) => {
        await clock.sleep(2500);
        sent.push(...events.map(({ auditID }) => auditID));
      },
      onDrop: () => assert.fail('dropped'),
    });
    void batches.write([event(1)]);
    await clock.advance(1000);
    void batches.write([event(2)]);
    await clock.advance(4000);
    void batches.write([event(3)]);
    await clock.advance(10_000);
    assert.deepEqual(sent, ['1', '2', '3']);
  });

  test('go no faster than the throttle says', async () => {
    const clock = new FakeClock();
    const sent: number[] = [];
    const batches = createBatches({
      batch: { ...batch, bufferSize: 100, throttle: { perSecond: 10, burst: 2 } },
      clock,
      deliver: () => {
        sent.push(clock.now());
        return Promise.resolve();
      },
      onDrop: () => assert.fail('dropped'),
    });
    void batches.write(Array.from({ length: 10 }, (_, i) => event(i)));
    await clock.advance(0);
    assert.equal(sent.length, 2);
    await clock.advance(1000);
    assert.equal(sent.length, 5);
  });
});

describe('the log', () => {
  const open = (mode: 'blocking' | 'blocking-strict', write: (text: string) => Promise<void>) =>
    createLogBackend({
      sink: { write, close: () => Promise.resolve() },
      format: 'json',
      mode,
      log: silentLogger,
      onError: () => undefined,
    });

  test('has a line for each event, in order', async () => {
    let text = '';
    const log = open('blocking', (more) => {
      text += more;
      return Promise.resolve();
    });
    for (let i = 0; i < 5; i++) assert.equal(log.write([event(i)]), undefined);
    await log.close();
    assert.deepEqual(
      text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as AuditEvent).auditID),
      ['0', '1', '2', '3', '4'],
    );
  });

  test('in the strict mode makes requests fail that it cannot tell of', async () => {
    const log = open('blocking-strict', () => Promise.reject(new Error('disk full')));
    await assert.rejects(Promise.resolve(log.write([event(1)])), { message: 'disk full' });
  });
});

test('an event that is too large loses its bodies and says so', () => {
  const large = { ...event(1), requestObject: 'x'.repeat(1000) } as AuditEvent;
  const limits = { maxEventBytes: 200 };
  const [cut] = truncateEvents([large], limits);
  assert.equal(cut?.requestObject, undefined);
  assert.deepEqual(cut?.annotations, { 'audit.k8s.io/truncated': 'true' });
  assert.deepEqual(truncateEvents([event(2)], limits), [event(2)]);
});
