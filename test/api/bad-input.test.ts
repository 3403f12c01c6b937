/**
 * Requests that cannot work, over a server as `k3ts server --disable-agent` composes it: each ends
 * in upstream's Status, and the server goes on with what it has.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Answer } from './answer.ts';
import { startTestApi, type RequestOptions, type TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
  const made = await post('configmaps', configMap('kept', { data: { precious: 'yes' } }));
  assert.equal(made.status, 201);
});
after(async () => await api.close());

const core = '/api/v1/namespaces/default';
const configMap = (name: string, more: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  ...more,
});
const pod = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'bad', ...metadata },
  spec,
});
const post = (resource: string, body: unknown, query = ''): Promise<Answer> =>
  api.request('POST', `${core}/${resource}${query}`, { body });
const typed = (type: string): Record<string, string> => ({ 'Content-Type': type });

interface Status {
  kind: string;
  status: string;
  code: number;
  reason: string;
  message: string;
  details?: { causes?: { field?: string; reason?: string }[] };
}

interface Case {
  name: string;
  method?: string;
  path?: string;
  options?: RequestOptions;
  code: number;
  reason?: string;
  message: string | RegExp;
  /** `field: reason` of each cause. */
  causes?: string[];
}

const configMaps = `${core}/configmaps`;
const yaml = typed('application/yaml');
const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';

const malformed: Case[] = [
  {
    name: 'malformed JSON',
    options: { body: '{"a":' },
    code: 400,
    message: `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input ({"a":)`,
  },
  {
    name: 'malformed YAML',
    options: { body: 'a: [\n', headers: yaml },
    code: 400,
    message: `${unrecognized}yaml: line 1: did not find expected node content (613a205b0a)`,
  },
  {
    name: 'no body',
    options: { body: '' },
    code: 400,
    message: /^the object provided is unrecognized .*unexpected end of JSON input/,
  },
  {
    name: 'a list where an object belongs',
    options: { body: '[]' },
    code: 400,
    message: /json: cannot unmarshal array into Go value/,
  },
  {
    name: 'a type nobody knows',
    options: { body: 'x', headers: typed('text/plain') },
    code: 415,
    reason: 'UnsupportedMediaType',
    message: /^the body of the request was in an unknown format - accepted media types include: /,
  },
  {
    name: 'broken protobuf',
    options: { body: 'k8s\0\x12\x05', headers: typed('application/vnd.kubernetes.protobuf') },
    code: 400,
    message: `${unrecognized}unexpected EOF (6b3873001205)`,
  },
  {
    name: 'a broken object in protobuf',
    options: { body: 'k8s\0\x12\x01\x08', headers: typed('application/vnd.kubernetes.protobuf') },
    code: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field ObjectMeta',
  },
  {
    name: 'broken options of a delete in protobuf',
    method: 'DELETE',
    path: `${configMaps}/nobody`,
    options: { body: 'k8s\0\x12\x05', headers: typed('application/vnd.kubernetes.protobuf') },
    code: 400,
    message: 'unexpected EOF',
  },
  {
    name: 'broken options of a delete in YAML',
    method: 'DELETE',
    path: `${configMaps}/nobody`,
    options: { body: 'a: [\n', headers: yaml },
    code: 400,
    message: 'yaml: line 1: did not find expected node content',
  },
  {
    name: 'JSON a hundred thousand levels deep',
    options: { body: '['.repeat(100_000) },
    code: 400,
    message: /^the object provided is unrecognized/,
  },
  {
    name: 'YAML whose aliases multiply',
    options: {
      body: [...'abcdefgh'].map(multiplied).join(''),
      headers: yaml,
    },
    code: 400,
    message: /yaml: document contains excessive aliasing/,
  },
  {
    name: 'a body above 3 MiB',
    options: { body: JSON.stringify(configMap('big', { data: { a: 'a'.repeat(3 << 20) } })) },
    code: 413,
    reason: 'RequestEntityTooLarge',
    message: 'Request entity too large: limit is 3145728',
  },
  {
    name: 'another kind than the path says',
    options: { body: pod({}) },
    code: 400,
    message: /^Pod in version "v1" cannot be handled as a ConfigMap/,
  },
  {
    name: 'a number where text belongs',
    options: { body: configMap('x', { data: { a: 1 } }) },
    code: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
  },
  {
    name: 'an unknown field under strict validation',
    path: `${configMaps}?fieldValidation=Strict`,
    options: { body: configMap('x', { dataa: {} }) },
    code: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dataa"',
  },
  {
    name: 'a duplicate field under strict validation',
    path: `${configMaps}?fieldValidation=Strict`,
    options: { body: '{"apiVersion":"v1","kind":"ConfigMap","data":{},"data":{}}' },
    code: 400,
    message:
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data"',
  },
  {
    name: 'a level of field validation nobody knows',
    path: `${configMaps}?fieldValidation=Maybe`,
    options: { body: configMap('x') },
    code: 422,
    reason: 'Invalid',
    message:
      /^CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe"/,
    causes: ['fieldValidation: FieldValueNotSupported'],
  },
];

function multiplied(letter: string, index: number): string {
  const item = index === 0 ? 'x' : `*${String.fromCharCode(letter.charCodeAt(0) - 1)}`;
  return `${letter}: &${letter} [${Array.from({ length: 9 }, () => item).join(',')}]\n`;
}

const misplaced: Case[] = [
  {
    name: 'a namespace that is not there',
    path: '/api/v1/namespaces/nowhere/configmaps',
    options: { body: configMap('x') },
    code: 404,
    reason: 'NotFound',
    message: 'namespaces "nowhere" not found',
  },
  {
    name: 'another namespace than the path says',
    options: { body: { ...configMap('x'), metadata: { name: 'x', namespace: 'other' } } },
    code: 400,
    message:
      'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    name: 'a name that is taken',
    options: { body: configMap('kept') },
    code: 409,
    reason: 'AlreadyExists',
    message: 'configmaps "kept" already exists',
  },
  {
    name: 'PUT under another name',
    method: 'PUT',
    path: `${configMaps}/kept`,
    options: { body: configMap('other') },
    code: 400,
    message: 'the name of the object (other) does not match the name on the URL (kept)',
  },
  {
    name: 'PUT of an old version',
    method: 'PUT',
    path: `${configMaps}/kept`,
    options: { body: { ...configMap('kept'), metadata: { name: 'kept', resourceVersion: '1' } } },
    code: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on configmaps "kept": the object has been modified; please apply your changes to the latest version and try again',
  },
  {
    name: 'POST on an object',
    path: `${configMaps}/kept`,
    options: { body: configMap('kept') },
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'DELETE of what is not there',
    method: 'DELETE',
    path: `${configMaps}/nothing`,
    code: 404,
    reason: 'NotFound',
    message: 'configmaps "nothing" not found',
  },
  {
    name: 'a kind nobody serves',
    method: 'GET',
    path: '/api/v1/namespaces/default/gadgets',
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
  },
  {
    name: 'a malformed escape',
    method: 'GET',
    path: '/api/v1/namespaces/%zz/configmaps',
    code: 400,
    message: /^invalid URL escape/,
  },
  {
    name: 'a limit that is no number',
    method: 'GET',
    path: `${configMaps}?limit=abc`,
    code: 400,
    message: /strconv.ParseInt: parsing "abc": invalid syntax/,
  },
  {
    name: 'a continue token nobody gave',
    method: 'GET',
    path: `${configMaps}?limit=1&continue=abc`,
    code: 400,
    message: /^invalid continue token: continue key is not valid: /,
  },
  {
    name: 'a label selector that does not parse',
    method: 'GET',
    path: `${configMaps}?labelSelector=a%20b`,
    code: 400,
    message: /^unable to parse requirement: found 'b', expected: /,
  },
  {
    name: 'a field selector nobody offers',
    method: 'GET',
    path: `${configMaps}?fieldSelector=spec.nope%3Dx`,
    code: 400,
    message: /spec\.nope/,
  },
  {
    name: 'a version that is no number',
    method: 'GET',
    path: `${configMaps}?resourceVersion=abc`,
    code: 400,
    reason: 'BadRequest',
    message:
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
  },
  {
    name: 'a version of the future',
    method: 'GET',
    path: `${configMaps}?resourceVersion=99999999`,
    code: 504,
    reason: 'Timeout',
    message: /^Timeout: Too large resource version: 99999999, current: \d+$/,
    causes: [': ResourceVersionTooLarge'],
  },
];

const patchCases: Case[] = [
  {
    name: 'a patch of no known type',
    options: { body: {} },
    code: 415,
    reason: 'UnsupportedMediaType',
    message: /application\/json-patch\+json, .*application\/apply-patch\+yaml/,
  },
  {
    name: 'a JSON patch that is no list',
    options: { body: {}, headers: typed('application/json-patch+json') },
    code: 400,
    message:
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  },
  {
    name: 'a JSON patch of a field that is not there',
    options: {
      body: [{ op: 'replace', path: '/data/nothing', value: 'x' }],
      headers: typed('application/json-patch+json'),
    },
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
  },
  {
    name: 'an apply patch of nobody',
    options: { body: configMap('kept'), headers: typed('application/apply-patch+yaml') },
    code: 422,
    reason: 'Invalid',
    message:
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    causes: ['fieldManager: FieldValueRequired'],
  },
];
const patches = patchCases.map((one): Case => ({
  method: 'PATCH',
  path: `${configMaps}/kept`,
  ...one,
}));

const container = { name: 'c', image: 'i' };
const invalidSpecs: Case[] = [
  {
    name: 'a name in capitals',
    options: { body: configMap('UPPER_case') },
    code: 422,
    reason: 'Invalid',
    message:
      /^ConfigMap "UPPER_case" is invalid: metadata.name: Invalid value: "UPPER_case": a lowercase RFC 1123 subdomain must consist of/,
    causes: ['metadata.name: FieldValueInvalid'],
  },
  {
    name: 'no name at all',
    options: { body: { apiVersion: 'v1', kind: 'ConfigMap' } },
    code: 422,
    reason: 'Invalid',
    message: /metadata.name: Required value: name or generateName is required/,
    causes: ['metadata.name: FieldValueRequired'],
  },
  {
    name: 'a Pod without containers',
    path: `${core}/pods`,
    options: { body: pod({}) },
    code: 422,
    reason: 'Invalid',
    message: 'Pod "bad" is invalid: spec.containers: Required value',
    causes: ['spec.containers: FieldValueRequired'],
  },
  {
    name: 'a Pod with five mistakes',
    path: `${core}/pods`,
    options: {
      body: pod(
        {
          restartPolicy: 'Sometimes',
          containers: [
            {
              name: 'A',
              image: '',
              ports: [{ containerPort: 99999 }],
              volumeMounts: [{ name: 'nothing', mountPath: '/x' }],
            },
          ],
        },
        { labels: { '-x': 'y' } },
      ),
    },
    code: 422,
    reason: 'Invalid',
    message: /^Pod "bad" is invalid: \[/,
    causes: [
      'metadata.labels: FieldValueInvalid',
      'spec.containers[0].image: FieldValueRequired',
      'spec.containers[0].name: FieldValueInvalid',
      'spec.containers[0].ports[0].containerPort: FieldValueInvalid',
      'spec.containers[0].volumeMounts[0].name: FieldValueNotFound',
      'spec.restartPolicy: FieldValueNotSupported',
    ],
  },
  {
    name: 'an amount that is none',
    path: `${core}/pods`,
    options: {
      body: pod({ containers: [{ ...container, resources: { limits: { cpu: 'much' } } }] }),
    },
    code: 400,
    message: /quantities must match the regular expression/,
  },
  {
    name: 'a Deployment whose selector misses its pods',
    path: '/apis/apps/v1/namespaces/default/deployments',
    options: {
      body: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'bad' },
        spec: {
          selector: { matchLabels: { app: 'a' } },
          template: { metadata: { labels: { app: 'b' } }, spec: { containers: [container] } },
        },
      },
    },
    code: 422,
    reason: 'Invalid',
    message: /`selector` does not match template `labels`/,
    causes: ['spec.template.metadata.labels: FieldValueInvalid'],
  },
  {
    name: 'a Service at an address that is not ours',
    path: `${core}/services`,
    options: { body: service({ clusterIP: '1.2.3.4' }) },
    code: 422,
    reason: 'Invalid',
    message:
      /failed to allocate IP 1.2.3.4: the provided network does not match the current range$/,
    causes: ['spec.clusterIPs: FieldValueInvalid'],
  },
  {
    name: 'a Service at a port that is not ours',
    path: `${core}/services`,
    options: { body: service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }) },
    code: 422,
    reason: 'Invalid',
    message:
      'Service "bad" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
    causes: ['spec.ports[0].nodePort: FieldValueInvalid'],
  },
  {
    name: 'a change of what may not change',
    method: 'PATCH',
    path: `${core}/services/kubernetes`,
    options: {
      body: { spec: { clusterIP: '10.43.0.2', clusterIPs: ['10.43.0.2'] } },
      headers: typed('application/merge-patch+json'),
    },
    code: 422,
    reason: 'Invalid',
    message: /spec.clusterIPs\[0\]: Invalid value: .*may not change once set/,
    causes: ['spec.clusterIPs[0]: FieldValueInvalid'],
  },
];

function service(spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'bad' },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

const strangers: Case[] = [
  {
    name: 'a wrong token',
    method: 'GET',
    options: { as: 'none', headers: { Authorization: 'Bearer wrong' } },
    code: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
  },
  {
    name: 'nobody',
    method: 'GET',
    options: { as: 'none' },
    code: 401,
    reason: 'Unauthorized',
    message: 'Unauthorized',
  },
];

for (const one of [...malformed, ...misplaced, ...patches, ...invalidSpecs, ...strangers]) {
  test(one.name, async () => {
    const { method = 'POST', path = configMaps, options = {}, message, causes } = one;
    const answer = await api.request(method, path, options);
    const status = answer.json as Status;
    assert.deepEqual(
      { kind: status.kind, status: status.status, http: answer.status, code: status.code },
      { kind: 'Status', status: 'Failure', http: one.code, code: one.code },
      answer.text,
    );
    assert.equal(status.reason, one.reason ?? 'BadRequest');
    if (typeof message === 'string') assert.equal(status.message, message);
    else assert.match(status.message, message);
    if (causes === undefined) return;
    const shown = (status.details?.causes ?? []).map(
      ({ field = '', reason = '' }) => `${field}: ${reason}`,
    );
    assert.deepEqual(shown.sort(), causes);
  });
}

test('after all of this the server is ready and has what it had, and nothing else', async () => {
  assert.equal((await api.request('GET', '/readyz')).text, 'ok');
  const names = (await api.request('GET', configMaps)).at('items.*.metadata.name') as string[];
  assert.deepEqual(names.sort(), ['kept', 'kube-root-ca.crt']);
  assert.equal((await api.request('GET', `${configMaps}/kept`)).at('data.precious'), 'yes');
  const internal = api.logLines.filter((line) => line.includes('level=error'));
  assert.deepEqual(internal, [], 'no request was an internal error');
});
