/** What somebody who runs a server sees of it: health, metrics, limits, time limits, headers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectH2 } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';

import { readApiServerArgs } from '#server/api-server-args/mod.ts';
import { at } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

let api: TestApi;

before(async () => {
  api = await startTestApi({
    apiServerArgs: readApiServerArgs([
      'cors-allowed-origins=^https://console\\.example$',
      'strict-transport-security-directives=max-age=31536000,includeSubDomains',
      'tls-min-version=VersionTLS13',
      'disabled-metrics=go_info',
      'request-timeout=30s',
      'v=4',
    ]),
  });
});
after(() => api.close());

const text = async (path: string): Promise<string> => (await api.request('GET', path)).text;

describe('health', () => {
  test('each endpoint says ok, its checks on request, and takes single ones out', async () => {
    assert.equal(await text('/healthz'), 'ok');
    assert.equal(await text('/livez/ping'), 'ok');
    assert.equal(await text('/readyz/etcd'), 'ok');
    const verbose = await text('/readyz?verbose&exclude=etcd&exclude=nothing');
    assert.match(verbose, /^\[\+\]ping ok$/m);
    assert.match(verbose, /^\[\+\]etcd excluded: ok$/m);
    assert.match(
      verbose,
      /^warn: some health checks cannot be excluded: no matches for "nothing"$/m,
    );
    assert.match(verbose, /^\[\+\]poststarthook\/rbac\/bootstrap-roles ok$/m);
    assert.match(verbose, /^\[\+\]poststarthook\/crd-informer-synced ok$/m);
    assert.match(verbose, /\nreadyz check passed\n$/);
    assert.doesNotMatch(await text('/livez?verbose'), /\](shutdown|informer-sync|etcd-readiness) /);
    assert.equal((await api.request('GET', '/readyz/nothing')).status, 404);
  });

  test('the index names paths and checks', async () => {
    const index = await api.request('GET', '/');
    const paths = index.at('paths') as string[];
    for (const path of ['/metrics', '/metrics/slis', '/livez/ping', '/statusz', '/flagz']) {
      assert.ok(paths.includes(path), path);
    }
    assert.deepEqual(paths, [...paths].sort());
  });

  test('statusz and flagz say what runs and how', async () => {
    assert.match(
      await text('/statusz'),
      /^apiserver statusz$[^]*^Binary version: v1\.36\.2\+k3ts1$/m,
    );
    assert.match(await text('/flagz'), /^request-timeout=30s$/m);
  });
});

describe('metrics', () => {
  test('requests are counted with the labels of upstream', async () => {
    await api.request('POST', '/api/v1/namespaces/default/podtemplates?dryRun=All', {
      body: {
        metadata: { name: 'x' },
        template: { spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    });
    await api.request('GET', '/api/v1/namespaces/default/podtemplates');
    await api.request('GET', '/api/v1/namespaces/default/podtemplates/none');
    const answer = await api.request('GET', '/metrics');
    const type = 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores';
    assert.equal(answer.headers['content-type'], type);
    const common = 'group="",resource="podtemplates"';
    const expected = [
      `apiserver_request_total{code="201",component="apiserver",dry_run="All",${common},scope="resource",subresource="",verb="POST",version="v1"} 1`,
      `apiserver_request_total{code="200",component="apiserver",dry_run="",${common},scope="namespace",subresource="",verb="LIST",version="v1"} 1`,
      `apiserver_request_total{code="404",component="apiserver",dry_run="",${common},scope="resource",subresource="",verb="GET",version="v1"} 1`,
      `apiserver_request_duration_seconds_count{component="apiserver",dry_run="",${common},scope="namespace",subresource="",verb="LIST",version="v1"} 1`,
      `apiserver_response_sizes_bucket{component="apiserver",${common},scope="namespace",subresource="",verb="LIST",version="v1",le="1e+09"} 1`,
      'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
      'apiserver_storage_objects{resource="namespaces"} 4',
    ];
    const lines = new Set(answer.text.replaceAll('le="1000000000"', 'le="1e+09"').split('\n'));
    for (const line of expected) assert.ok(lines.has(line), line);
    assert.match(answer.text, /^kubernetes_build_info{.*git_version="v1\.36\.2\+k3ts1".*} 1$/m);
    const sidecars = 'kubernetes_feature_enabled{name="SidecarContainers",stage=""} 1';
    assert.ok(answer.text.includes(`${sidecars}\n`), 'feature gates');
    assert.match(answer.text, /^process_resident_memory_bytes \d+$/m);
    assert.match(answer.text, /^# HELP apiserver_request_total \[STABLE\] /m);
    assert.match(
      answer.text,
      /^apiserver_storage_events_received_total\{group="",resource="namespaces"\} [1-9]/m,
    );
    assert.match(
      answer.text,
      /^etcd_requests_total\{group="",operation="create",resource="namespaces"\} [1-9]/m,
    );
    assert.match(
      answer.text,
      /^apiserver_admission_step_admission_duration_seconds_count{operation="CREATE",rejected="false",type="admit"} [1-9]/m,
    );
    assert.match(
      answer.text,
      /^etcd_request_duration_seconds_count{group="",operation="create",resource="namespaces"} 4$/m,
    );
    assert.doesNotMatch(answer.text, /go_info/);
  });

  test('every line is of the text format, and no series comes twice', async () => {
    const seen = new Set<string>();
    for (const line of (await text('/metrics')).trimEnd().split('\n')) {
      if (line.startsWith('# ')) continue;
      const match = /^([a-z_:][a-z0-9_:]*(?:{[^}]*})?) (-?[0-9.e+-]+|\+Inf|NaN)$/i.exec(line);
      assert.ok(match, line);
      assert.ok(!seen.has(match[1] ?? ''), line);
      seen.add(match[1] ?? '');
    }
    assert.ok(seen.size > 300, `${seen.size} series`);
  });

  test('watches and their events are counted', async () => {
    const path = '/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0';
    const watch = await api.watch(path);
    await watch.next();
    const gauge = /^apiserver_longrunning_requests{.*resource="configmaps".*verb="WATCH".*} 1$/m;
    const metrics = await text('/metrics');
    assert.match(metrics, gauge);
    assert.match(
      metrics,
      /^apiserver_watch_events_total{group="",resource="configmaps",version="v1"} [1-9]/m,
    );
    watch.close();
  });

  test('who is known and what is allowed is counted', async () => {
    await api.request('GET', '/api', { as: 'none' });
    const metrics = await text('/metrics');
    for (const line of [
      /^authentication_attempts{result="success"} [1-9]/m,
      /^authentication_attempts{result="failure"} 1$/m,
      /^authenticated_user_requests{username="other"} [1-9]/m,
      /^authentication_duration_seconds_bucket{result="success",le="16\.384"} [1-9]/m,
      /^authorization_attempts_total{result="allowed"} [1-9]/m,
      /^authorization_duration_seconds_count{result="allowed"} [1-9]/m,
    ]) {
      assert.match(metrics, line);
    }
  });

  test('what operators are alerted by is shown', async () => {
    await api.request('GET', '/api/v1/componentstatuses');
    const metrics = await text('/metrics');
    for (const line of [
      /^apiserver_requested_deprecated_apis{group="",removed_release="",resource="componentstatuses",subresource="",version="v1"} 1$/m,
      /^apiserver_client_certificate_expiration_seconds_bucket{le="86400"} 0$/m,
      /^apiserver_client_certificate_expiration_seconds_bucket{le="\+Inf"} [1-9]/m,
      /^aggregator_unavailable_apiservice{name="v1\."} 0$/m,
    ]) {
      assert.match(metrics, line);
    }
  });

  test('requests of controllers count like those of clients', async () => {
    await api.until('/metrics', (answer) =>
      /^apiserver_request_total\{code="201",[^}]*resource="serviceaccounts",[^}]*verb="POST"/m.test(
        answer.text,
      ),
    );
  });

  test('/metrics/slis has the health checks', async () => {
    await text('/livez');
    assert.match(
      await text('/metrics/slis'),
      /^kubernetes_healthcheck{name="ping",type="livez"} 1$/m,
    );
  });
});

describe('limits', () => {
  test('a timeout that is none is refused, one that is short ends the request', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const bad = await api.request('GET', `${path}?timeout=soon`);
    assert.equal(bad.status, 400);
    assert.equal(
      bad.at('message'),
      'invalid timeout specified in the request URL - time: invalid duration "soon"',
    );
    assert.equal((await api.request('GET', `${path}?timeout=10s`)).status, 200);
  });

  test('a body beyond 3 MiB is refused with 413', async () => {
    const answer = await api.request('POST', '/api/v1/namespaces/default/configmaps', {
      body: JSON.stringify({ metadata: { name: 'big' }, data: { a: 'x'.repeat(3_200_000) } }),
    });
    assert.equal(answer.status, 413);
    assert.equal(answer.at('message'), 'Request entity too large: limit is 3145728');
  });

  const raw = async (request: string): Promise<string> => {
    const socket = connectTls({ host: api.host, port: api.port, ca: api.ca, ...api.admin });
    await once(socket, 'secureConnect');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.write(request);
    await closed;
    return answer;
  };

  test('headers beyond a megabyte get 431, nonsense gets 400, as from Go', async () => {
    const large = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(1_200_000)}\r\n\r\n`);
    assert.match(large, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    const nonsense = await raw('NONSENSE\r\n\r\n');
    assert.match(nonsense, /^HTTP\/1\.1 400 Bad Request\r\n[^]*400 Bad Request$/);
  });

  test('a long selector fits into the URL', async () => {
    const selector = Array.from({ length: 5000 }, (_, i) => `value-${i}`).join(',');
    const path = `/api/v1/pods?labelSelector=${encodeURIComponent(`app in (${selector})`)}`;
    assert.equal((await api.request('GET', path)).status, 200);
  });
});

describe('headers', () => {
  test('browsers of an allowed origin may ask, others get no leave', async () => {
    const headers = { Origin: 'https://console.example' };
    const preflight = await api.request('OPTIONS', '/api/v1/pods', { headers, as: 'none' });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], 'https://console.example');
    const answer = await api.request('GET', '/api/v1/pods', { headers });
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    const other = await api.request('GET', '/api/v1/pods', {
      headers: { Origin: 'https://evil.example' },
    });
    assert.equal(other.headers['access-control-allow-origin'], undefined);
  });

  test('Strict-Transport-Security is on every answer, failures too', async () => {
    for (const path of ['/version', '/api/v1/namespaces/none']) {
      const { headers } = await api.request('GET', path);
      assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains');
    }
  });

  test('arguments without effect are named in the log', () => {
    assert.ok(api.logLines.some((line) => /without effect.*names=v\b/.test(line)));
  });
});

test('TLS below the version that was asked for is refused', async () => {
  const open = async (maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<string> => {
    const socket = connectTls({ host: api.host, port: api.port, ca: api.ca, maxVersion });
    const event = await new Promise((resolve) => {
      socket.once('secureConnect', () => resolve('connected'));
      socket.once('error', () => resolve('refused'));
    });
    socket.destroy();
    return String(event);
  };
  assert.equal(await open('TLSv1.3'), 'connected');
  assert.equal(await open('TLSv1.2'), 'refused');
});

test('at the end the server says first that it is not ready, and answers on', async () => {
  const ending = await startTestApi({
    apiServerArgs: readApiServerArgs(['shutdown-delay-duration=600ms']),
  });
  const session = connectH2(ending.url, { ca: ending.ca, ...ending.admin });
  const ask = async (path: string): Promise<{ status: number; body: string }> => {
    const stream = session.request({ ':path': path });
    let body = '';
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    const [headers] = (await once(stream, 'response')) as [Record<string, number>];
    await once(stream, 'end');
    return { status: headers[':status'] ?? 0, body };
  };
  assert.equal((await ask('/readyz')).status, 200);
  const watch = session.request({ ':path': '/api/v1/pods?watch=true' });
  watch.resume();
  await once(watch, 'response');
  const watchEnd = once(watch, 'end');
  const closed = ending.close();
  let ready = await ask('/readyz');
  for (let i = 0; ready.status === 200 && i < 50; i++) ready = await ask('/readyz');
  assert.equal(ready.status, 500);
  assert.match(ready.body, /^\[-\]shutdown failed: reason withheld$/m);
  assert.equal((await ask('/livez')).status, 200);
  assert.equal((await ask('/api/v1/namespaces')).status, 200);
  await watchEnd;
  session.close();
  await closed;
});

test('the server tells the cluster of itself by a lease', async () => {
  const selector = 'labelSelector=apiserver.kubernetes.io/identity=kube-apiserver';
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?${selector}`;
  const leases = await api.until(path, ({ json }) => {
    return (json as { items: unknown[] }).items.length === 1;
  });
  const [lease] = (leases.json as { items: { metadata: object; spec: object }[] }).items;
  assert.match(String(at(lease, 'metadata.name')), /^apiserver-[a-z2-7]{26}$/);
  assert.equal(at(lease, 'spec.leaseDurationSeconds'), 3600);
});
