/**
 * Random and mutated requests of all verbs on all kinds: each is answered, none with a 500, and the
 * server is well afterwards. `K3TS_SEED` chooses another run, `K3TS_FUZZ_SECONDS` makes it longer.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { seededRandom } from '#base/random.ts';
import { encodeProtobuf } from '#schema/protobuf/mod.ts';
import { stringify } from 'yaml';
import type { Answer } from './answer.ts';
import { anyValue, mutated, pick, SchemaValues } from './fuzz-input.ts';
import type { FuzzKind } from './fuzz-input.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const seed = Number(process.env['K3TS_SEED'] ?? 7);
const seconds = Number(process.env['K3TS_FUZZ_SECONDS'] ?? 10);
const workers = 4;
const answerTimeoutMs = 60_000;

/** Answers above 499 that are upstream's own. */
const allowed = [
  /resourceVersion should not be set on objects to be created/,
  /Timeout: Too large resource version: /,
  /could not be completed at this time, please try again/,
  /failed to create typed (patch|live) object/,
  /does not contain declared merge key: /,
  /strconv\.ParseUint: parsing /,
  /resourceVersion: Invalid value: /,
  /^unknown patch type: /,
  /^list element types are not identical$/,
  /^cannot merge lists without merge key$/,
  /^merging lists cannot yet be specified in the patch$/,
  /target\.(kind|name): (Unsupported|Required) value/,
  /failed to allocate a serviceIP for Service /,
];

interface Resource {
  readonly path: string;
  readonly kind: FuzzKind;
  readonly namespaced: boolean;
  readonly subresources: readonly string[];
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer | undefined;
}

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const accepts = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  'text/html',
  '*/*;q=0',
  ';;=,',
];
const parameters = [
  'limit',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'labelSelector',
  'fieldSelector',
  'watch',
  'timeoutSeconds',
  'sendInitialEvents',
  'allowWatchBookmarks',
  'pretty',
  'dryRun',
  'fieldManager',
  'fieldValidation',
  'force',
  'gracePeriodSeconds',
  'propagationPolicy',
  'orphanDependents',
  'includeObject',
  'timeout',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
];
const values = [
  '',
  '0',
  '1',
  '-1',
  'true',
  'false',
  'All',
  'Strict',
  'Warn',
  'Exact',
  'NotOlderThan',
  'Foreground',
  'Orphan',
  'a=b',
  'a in (b,c),!d',
  'a in (',
  'metadata.name=fuzz-0',
  'status.phase!=Running',
  'spec.nodeName=',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vYSJ9',
  '99999999999999999999',
  'None',
  'Object',
  '%',
  '\u0000',
  'x'.repeat(200),
];

let api: TestApi;
let made: SchemaValues;
let resources: Resource[];
const random: Random = seededRandom(seed);

before(async () => {
  api = await startTestApi();
  const kept = { metadata: { name: 'kept' }, data: { precious: 'yes' } };
  await api.request('POST', '/api/v1/namespaces/kube-public/configmaps', { body: kept });
  await api.request('POST', '/api/v1/namespaces', { body: { metadata: { name: 'fuzz' } } });
  const document = (await api.request('GET', '/openapi/v2')).json as {
    definitions: ConstructorParameters<typeof SchemaValues>[0];
  };
  made = new SchemaValues(document.definitions, random);
  resources = await findResources();
});

after(() => api.close());

async function findResources(): Promise<Resource[]> {
  const groups = (await api.request('GET', '/apis')).json as {
    groups: { versions: { groupVersion: string }[] }[];
  };
  const roots = groups.groups.flatMap((group) =>
    group.versions.map((version) => `/apis/${version.groupVersion}`),
  );
  const found: Resource[] = [];
  for (const root of ['/api/v1', ...roots]) {
    const answer = await api.request('GET', root);
    if (answer.status !== 200) continue;
    const { resources: listed, groupVersion } = answer.json as {
      groupVersion: string;
      resources: { name: string; kind: string; namespaced: boolean }[];
    };
    for (const { name, kind, namespaced } of listed) {
      if (name.includes('/')) continue;
      const fuzzed = made.kinds.find((one) => one.kind === kind && one.apiVersion === groupVersion);
      if (fuzzed === undefined) continue;
      const subresources = listed
        .filter((other) => other.name.startsWith(`${name}/`))
        .map((other) => other.name.slice(name.length + 1))
        .filter((sub) => !['exec', 'attach', 'portforward', 'proxy', 'log'].includes(sub));
      const path = namespaced ? `${root}/namespaces/fuzz/${name}` : `${root}/${name}`;
      found.push({ path, kind: fuzzed, namespaced, subresources });
    }
  }
  return found;
}

function bodyOf(object: object, type: string): Buffer {
  if (type.endsWith('protobuf')) {
    try {
      return encodeProtobuf(object) ?? Buffer.from(JSON.stringify(object));
    } catch {
      // it has no form for what does not fit its types
      return Buffer.from(JSON.stringify(object));
    }
  }
  return Buffer.from(type.endsWith('yaml') ? stringify(object) : JSON.stringify(object));
}

function query(): string {
  if (random.integer(3) > 0) return '';
  const given = Array.from({ length: 1 + random.integer(3) }, () => {
    const value = pick(random, values);
    return `${pick(random, parameters)}=${random.integer(8) === 0 ? value.replace(/[^\w=]/g, '%') : encodeURIComponent(value)}`;
  });
  return `?${given.join('&')}`;
}

function jsonPatch(): unknown {
  const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'none'];
  const paths = [
    '',
    '/',
    '/metadata',
    '/metadata/labels/a',
    '/spec',
    '/spec/x/-',
    '/data/0',
    'bad',
  ];
  return Array.from({ length: random.integer(4) }, () => ({
    op: pick(random, operations),
    path: pick(random, paths),
    ...(random.integer(2) === 0 ? { value: anyValue(random) } : {}),
    ...(random.integer(2) === 0 ? { from: pick(random, paths) } : {}),
  }));
}

/** A patch with directives strewn over it. */
function strategicPatch(object: Record<string, unknown>): unknown {
  const directives: Record<string, unknown>[] = [
    { $patch: pick(random, ['delete', 'replace', 'merge', 'none']) },
    { $retainKeys: anyValue(random, 1) },
    { '$setElementOrder/containers': anyValue(random, 2) },
    { '$deleteFromPrimitiveList/finalizers': anyValue(random, 1) },
    {},
  ];
  const within = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(within);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, within(one)]));
    return random.integer(4) === 0 ? { ...copy, ...pick(random, directives) } : copy;
  };
  return within(object);
}

function request(): Sent {
  const resource = pick(random, resources);
  const object = made.object(resource.kind, 0.2 + random.float() * 0.5);
  const name = `fuzz-${random.integer(3)}`;
  const headers: Record<string, string> = {};
  if (random.integer(3) === 0) headers['Accept'] = pick(random, accepts);
  const sub =
    random.integer(3) === 0 && resource.subresources.length > 0
      ? `/${pick(random, resource.subresources)}`
      : '';
  let body: Buffer | undefined;
  let { path } = resource;
  const method = pick(random, ['POST', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'GET', 'DELETE']);
  if (method === 'POST' || method === 'PUT') {
    const type = pick(random, bodyTypes);
    headers['Content-Type'] = type;
    body = bodyOf(object, type);
    if (method === 'PUT' || sub !== '') path += `/${name}${sub}`;
  } else if (method === 'PATCH') {
    const type = pick(random, patchTypes);
    headers['Content-Type'] = type;
    path += `/${name}${sub}`;
    const patch = type.includes('json-patch')
      ? jsonPatch()
      : type.includes('strategic')
        ? strategicPatch(object)
        : object;
    body = Buffer.from(JSON.stringify(patch));
  } else if (random.integer(3) > 0) {
    path += `/${name}${sub}`;
  }
  if (body !== undefined && random.integer(5) === 0) body = mutated(random, body);
  let target = path + query();
  if (method === 'PATCH' && headers['Content-Type'] === patchTypes[3] && !target.includes('?')) {
    target += `?fieldManager=m${random.integer(3)}&force=${random.integer(2) === 0}`;
  }
  if (random.integer(30) === 0) target = oddPath(target);
  // a watch or a wait for the future would only take time
  target = target.replace(/timeoutSeconds=(0|-1|\d{4,})?(&|$)/g, 'timeoutSeconds=1$2');
  if (/[?&]watch(=|&|$)/.test(target) || target.includes('/watch/')) {
    target += `${target.includes('?') ? '&' : '?'}timeoutSeconds=1`;
  }
  return { method, path: target, headers, body };
}

function oddPath(path: string): string {
  const at = random.integer(path.length);
  const odd = pick(random, [
    '/',
    '//',
    '%2f',
    '%00',
    '..',
    '%',
    '?',
    'watch/',
    '/namespaces/',
    'é',
  ]);
  return encodeURI(`/${path.slice(1, at)}${odd}${path.slice(at)}`).replace(/%25/g, '%');
}

async function send({ method, path, headers, body }: Sent): Promise<Answer | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = systemClock.after(answerTimeoutMs, () => late.resolve(undefined));
  try {
    return await Promise.race([
      api.request(method, path, { headers, ...(body === undefined ? {} : { body }) }),
      late.promise,
    ]);
  } finally {
    timer.cancel();
  }
}

function findingOf(
  sent: Sent,
  answer: Answer | undefined,
): { message: string; text: string } | undefined {
  if (answer !== undefined && answer.status < 500) return undefined;
  const said = answer?.text ?? 'no answer';
  const message = messageIn(said);
  if (allowed.some((one) => one.test(message))) return undefined;
  const isBinary = sent.headers['Content-Type']?.endsWith('protobuf') === true;
  const body = sent.body?.toString(isBinary ? 'base64' : 'utf8').slice(0, 3000) ?? '';
  const headers = JSON.stringify(sent.headers);
  return { message, text: `${message}: ${sent.method} ${sent.path} ${headers} ${body}` };
}

/** The message of a Status in any of its forms. */
function messageIn(said: string): string {
  // a message of several lines is a block of its own in YAML
  const block = /^message: [|>][-+]?\d?\n((?: +.*\n| *\n)+)/m.exec(said)?.[1];
  if (block !== undefined) return block.trim().slice(0, 300);
  const inText = /"?message"?: ?"?((?:[^"\\\n]|\\.)*)/.exec(said)?.[1];
  const inBytes = /\bFailure[^]([^]*?)"/.exec(said)?.[1];
  return (inText ?? inBytes ?? said).slice(0, 300);
}

describe(`fuzzing, seed ${seed}, ${seconds} s`, () => {
  test(
    'no request ends in a crash, a hang or a 500',
    { timeout: (seconds + 60) * 1000 },
    async () => {
      const endMs = systemClock.monotonicMs() + seconds * 1000;
      /** The first of each message. */
      const findings = new Map<string, string>();
      const statuses = new Map<number, number>();
      const run = async (): Promise<void> => {
        while (systemClock.monotonicMs() < endMs && findings.size < 20) {
          const sent = request();
          const answer = await send(sent);
          statuses.set(answer?.status ?? 0, (statuses.get(answer?.status ?? 0) ?? 0) + 1);
          const finding = findingOf(sent, answer);
          if (finding !== undefined && !findings.has(finding.message)) {
            findings.set(finding.message, finding.text);
          }
        }
      };
      await Promise.all(Array.from({ length: workers }, run));
      if (findings.size > 0) assert.fail([...findings.values()].join('\n'));
      assert.ok(
        (statuses.get(201) ?? 0) > 0 && (statuses.get(422) ?? 0) > 0,
        'it reached no handler',
      );
    },
  );

  test('the server is well afterwards', async () => {
    assert.equal((await api.request('GET', '/readyz')).status, 200);
    const kept = await api.request('GET', '/api/v1/namespaces/kube-public/configmaps/kept');
    assert.equal(kept.at('data.precious'), 'yes');
    const path = '/api/v1/namespaces/kube-public/configmaps';
    const written = await api.request('POST', path, { body: { metadata: { name: 'after' } } });
    assert.equal(written.status, 201);
    assert.deepEqual(
      api.logLines.filter((line) => /TypeError|RangeError|ReferenceError/.test(line)),
      [],
    );
  });
});
