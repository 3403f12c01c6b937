/** ValidatingAdmissionPolicy and MutatingAdmissionPolicy with their bindings, in CEL. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { AdmissionregistrationV1Api, KubeConfig } from '@kubernetes/client-node';

import type { Answer } from './answer.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

const group = '/apis/admissionregistration.k8s.io/v1';
const maps = '/api/v1/namespaces/policies/configmaps';
const mapRule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['configmaps'],
};
const onMaps = { resourceRules: [mapRule] };

let api: TestApi;

before(async () => {
  api = await startTestApi({ disableControllerManager: true, disableScheduler: true });
  await api.request('POST', '/api/v1/namespaces', {
    body: { metadata: { name: 'policies', labels: { env: 'test' } } },
  });
});

after(() => api.close());

afterEach(async () => {
  for (const kind of ['validating', 'mutating']) {
    await api.request('DELETE', `${group}/${kind}admissionpolicybindings`);
    await api.request('DELETE', `${group}/${kind}admissionpolicies`);
  }
  await api.request('DELETE', maps);
});

const policy = (kind: 'validating' | 'mutating', name: string, spec: object): Promise<Answer> =>
  api.request('POST', `${group}/${kind}admissionpolicies`, {
    body: { metadata: { name }, spec: { matchConstraints: onMaps, ...spec } },
  });

const bind = (kind: 'validating' | 'mutating', policyName: string, spec: object = {}) =>
  api.request('POST', `${group}/${kind}admissionpolicybindings`, {
    body: {
      metadata: { name: `${policyName}-binding` },
      spec: {
        policyName,
        ...(kind === 'validating' ? { validationActions: ['Deny'] } : {}),
        ...spec,
      },
    },
  });

/** A policy and its binding, both of which must be accepted. */
async function enforce(name: string, spec: object, binding: object = {}): Promise<void> {
  const made = await policy('validating', name, spec);
  assert.equal(made.status, 201, made.text);
  const bound = await bind('validating', name, binding);
  assert.equal(bound.status, 201, bound.text);
}

async function mutate(name: string, spec: object, binding: object = {}): Promise<void> {
  const made = await policy('mutating', name, { reinvocationPolicy: 'Never', ...spec });
  assert.equal(made.status, 201, made.text);
  const bound = await bind('mutating', name, binding);
  assert.equal(bound.status, 201, bound.text);
}

const create = (name: string, data: object = {}, metadata: object = {}) =>
  api.request('POST', maps, { body: { metadata: { name, ...metadata }, data } });

const denied = (policyName: string, text: string): string =>
  `ValidatingAdmissionPolicy '${policyName}' with binding '${policyName}-binding' denied request: ${text}`;

describe('validating policies', () => {
  test('deny with the expression, a message or a message expression, and their reason', async () => {
    await enforce('plain', { validations: [{ expression: "object.metadata.name != 'bad'" }] });
    const answer = await create('bad');
    const text = denied('plain', "failed expression: object.metadata.name != 'bad'");
    assert.equal(answer.status, 422);
    assert.equal(answer.at('reason'), 'Invalid');
    assert.equal(answer.at('message'), `configmaps "bad" is forbidden: ${text}`);
    assert.deepEqual(answer.at('details'), {
      name: 'bad',
      kind: 'configmaps',
      causes: [{ message: text }],
    });
    assert.equal((await create('good')).status, 201);
    const { text: metrics } = await api.request('GET', '/metrics');
    const counted =
      'apiserver_validating_admission_policy_check_total{enforcement_action="deny",error_type="no_error",policy="plain",policy_binding="plain-binding"} 1\n';
    assert.ok(metrics.includes(counted));
    await enforce('worded', {
      variables: [{ name: 'size', expression: 'size(object.data)' }],
      validations: [
        { expression: 'variables.size < 2', message: 'too many', reason: 'Forbidden' },
        {
          expression: "!('x' in object.data)",
          messageExpression:
            "'x is ' + object.data.x + ' in ' + namespaceObject.metadata.labels.env",
        },
      ],
    });
    const many = await create('many', { a: '', b: '' });
    assert.deepEqual([many.status, many.at('reason')], [403, 'Forbidden']);
    assert.equal(
      many.at('message'),
      `configmaps "many" is forbidden: ${denied('worded', 'too many')}`,
    );
    const worded = await create('worded', { x: '1' });
    assert.equal(
      worded.at('message'),
      `configmaps "worded" is forbidden: ${denied('worded', 'x is 1 in test')}`,
    );
  });

  test('see the old object, the request and what its user may do', async () => {
    await enforce('context', {
      validations: [
        { expression: "request.operation == 'CREATE' || object.data == oldObject.data" },
        { expression: "request.userInfo.username == 'system:admin'" },
        {
          expression: "authorizer.group('apps').resource('deployments').check('create').allowed()",
        },
        { expression: "authorizer.requestResource.check('delete').allowed()" },
      ],
    });
    assert.equal((await create('seen', { a: '1' })).status, 201);
    const body = { metadata: { name: 'seen' }, data: { a: '2' } };
    const changed = await api.request('PUT', `${maps}/seen`, { body });
    assert.match(String(changed.at('message')), /failed expression: request.operation == 'CREATE'/);
    const weak = await api.identity('weak');
    await api.request('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/policies/roles', {
      body: {
        metadata: { name: 'maps' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }],
      },
    });
    await api.request(
      'POST',
      '/apis/rbac.authorization.k8s.io/v1/namespaces/policies/rolebindings',
      {
        body: {
          metadata: { name: 'maps' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'weak' }],
        },
      },
    );
    await api.request('DELETE', `${group}/validatingadmissionpolicies/context`);
    await policy('validating', 'context', {
      validations: [
        {
          expression: "authorizer.requestResource.check('delete').allowed()",
          messageExpression: "request.userInfo.username + ' may not'",
        },
      ],
    });
    const refused = await api.request('POST', maps, {
      body: { metadata: { name: 'weakly' } },
      as: weak,
    });
    assert.match(String(refused.at('message')), /weak may not$/);
  });

  test('warn, and do not hold the request up', async () => {
    const validations = [{ expression: 'false', message: 'mind it' }];
    await enforce('warns', { validations }, { validationActions: ['Warn', 'Audit'] });
    const answer = await create('warned');
    assert.equal(answer.status, 201);
    const text =
      "Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns-binding': mind it";
    assert.deepEqual(answer.warnings, [text]);
    const { stderr } = await api.kubectl(['create', 'configmap', 'again', '-n', 'policies']);
    assert.equal(stderr, `Warning: ${text}\n`);
  });

  test('are evaluated with each parameter that the binding selects', async () => {
    const limit = (name: string, most: string, labels: object): Promise<Answer> =>
      api.request('POST', '/api/v1/namespaces/default/configmaps', {
        body: { metadata: { name, labels }, data: { most } },
      });
    await limit('one', '1', { kind: 'limit' });
    await limit('three', '3', { kind: 'limit' });
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [
        {
          expression: 'size(object.data) <= int(params.data.most)',
          messageExpression: "'more than ' + params.data.most",
        },
      ],
    };
    const byName = { name: 'three', namespace: 'default', parameterNotFoundAction: 'Deny' };
    await enforce('limited', spec, { paramRef: byName });
    assert.equal((await create('two', { a: '', b: '' })).status, 201);
    assert.match(
      String((await create('four', { a: '', b: '', c: '', d: '' })).at('message')),
      /more than 3$/,
    );
    await api.request('DELETE', `${group}/validatingadmissionpolicybindings/limited-binding`);
    const selector = { matchLabels: { kind: 'limit' } };
    await bind('validating', 'limited', { paramRef: { ...byName, name: undefined, selector } });
    assert.match(String((await create('other', { a: '', b: '' })).at('message')), /more than 1$/);
    await api.request('DELETE', `${group}/validatingadmissionpolicybindings/limited-binding`);
    await bind('validating', 'limited', { paramRef: { ...byName, name: 'none' } });
    assert.equal(
      (await create('none')).at('message'),
      `configmaps "none" is forbidden: ${denied('limited', 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction')}`,
    );
  });

  test('need a kind of parameters that exists', async () => {
    await enforce(
      'unknown',
      {
        paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
        validations: [{ expression: 'true' }],
      },
      { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
    );
    assert.equal(
      (await create('any')).at('message'),
      `configmaps "any" is forbidden: ValidatingAdmissionPolicy 'unknown' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=Limit'`,
    );
  });

  test('take custom resources as parameters', async () => {
    const schema = {
      openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    };
    const definition = (plural: string, kind: string, scope: string): object => ({
      metadata: { name: `${plural}.example.com` },
      spec: {
        group: 'example.com',
        scope,
        names: { plural, singular: plural.slice(0, -1), kind, listKind: `${kind}List` },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await api.request('POST', definitions, { body: definition('limits', 'Limit', 'Cluster') });
    const limits = '/apis/example.com/v1/limits';
    await api.until(limits, (answer) => answer.status === 200);
    const made = await api.request('POST', limits, {
      body: { apiVersion: 'example.com/v1', kind: 'Limit', metadata: { name: 'most' }, most: 1 },
    });
    assert.equal(made.status, 201, made.text);
    const paramRef = { name: 'most', parameterNotFoundAction: 'Allow' };
    await enforce(
      'custom',
      {
        paramKind: { apiVersion: 'example.com/v1', kind: 'Limit' },
        validations: [{ expression: 'params == null || size(object.data) <= params.most' }],
      },
      { paramRef },
    );
    assert.equal((await create('one', { a: '' })).status, 201);
    assert.equal((await create('two', { a: '', b: '' })).status, 422);
    await api.request('DELETE', `${limits}/most`);
    assert.equal((await create('two', { a: '', b: '' })).status, 201);
  });

  test('keep the types of their variables, and evaluate only those that are needed', async () => {
    await enforce('typed-variables', {
      variables: [
        { name: 'keys', expression: 'object.data.map(k, k)' },
        { name: 'limit', expression: "duration('1h')" },
        { name: 'early', expression: "timestamp('2020-01-01T00:00:00Z')" },
        { name: 'broken', expression: 'object.none' },
        { name: 'both', expression: "variables.keys + ['z']" },
      ],
      validations: [
        { expression: "variables.both.exists(k, k == 'a') && size(variables.both) == 2" },
        { expression: "variables.limit < duration('2h') && variables.early.getFullYear() == 2020" },
        { expression: "object.metadata.name != 'broken' || variables.broken == 1" },
      ],
    });
    const fine = await create('fine', { a: '' });
    assert.equal(fine.status, 201, fine.text);
    assert.match(
      String((await create('broken', { a: '' })).at('message')),
      /resulted in error: composited variable "broken" fails to evaluate: no such key: none$/,
    );
  });

  test('match by conditions, exclusions, names and the resources of the binding', async () => {
    await enforce(
      'chosen',
      {
        matchConstraints: {
          resourceRules: [mapRule],
          excludeResourceRules: [{ ...mapRule, resourceNames: ['free'] }],
        },
        matchConditions: [{ name: 'data', expression: "has(object.data) && 'a' in object.data" }],
        validations: [{ expression: 'false', message: 'no' }],
      },
      { matchResources: { objectSelector: { matchLabels: { on: 'yes' } } } },
    );
    const labels = { on: 'yes' };
    assert.equal((await create('unlabelled', { a: '' })).status, 201);
    assert.equal((await create('empty', { b: '' }, { labels })).status, 201);
    assert.equal((await create('free', { a: '' }, { labels })).status, 201);
    assert.equal((await create('held', { a: '' }, { labels })).status, 422);
  });

  test('that fail to evaluate deny or not, as failurePolicy says', async () => {
    const validations = [{ expression: "object.data.none == ''" }];
    await enforce('faulty', { validations });
    assert.equal(
      (await create('any', { a: '' })).at('message'),
      `configmaps "any" is forbidden: ${denied('faulty', "expression 'object.data.none == ''' resulted in error: no such key: none")}`,
    );
    await api.request('DELETE', `${group}/validatingadmissionpolicies/faulty`);
    await policy('validating', 'faulty', { validations, failurePolicy: 'Ignore' });
    assert.equal((await create('any', { a: '' })).status, 201);
  });

  test('that do not compile are refused', async () => {
    const answer = await policy('validating', 'wrong', {
      variables: [{ name: 'v', expression: 'object.' }],
      validations: [{ expression: "'text'" }, { expression: 'nobody' }],
    });
    assert.equal(answer.status, 422);
    const causes = answer.at('details.causes') as { field: string; message: string }[];
    assert.deepEqual(
      causes.map((cause) => cause.field),
      [
        'spec.variables[0].expression',
        'spec.validations[0].expression',
        'spec.validations[1].expression',
      ],
    );
    assert.equal(causes[1]?.message, `Invalid value: "'text'": must evaluate to bool`);
    assert.match(
      causes[2]?.message ?? '',
      /compilation failed: ERROR: <input>:1:1: undeclared reference to 'nobody' \(in container ''\)/,
    );
  });

  test('are checked against the types of the kinds they name', async () => {
    const deployments = { ...mapRule, apiGroups: ['apps'], resources: ['deployments'] };
    await policy('validating', 'typed', {
      matchConstraints: { resourceRules: [deployments] },
      validations: [
        { expression: 'object.spec.replicas > 1' },
        { expression: "object.spec.replicas > '1'" },
        {
          expression: 'object.spec.nothing == 1',
          messageExpression: "'a' + string(object.spec.no)",
        },
      ],
    });
    const path = `${group}/validatingadmissionpolicies/typed`;
    const answer = await api.until(path, (got) => got.at('status.observedGeneration') === 1);
    const warnings = answer.at('status.typeChecking.expressionWarnings') as {
      fieldRef: string;
      warning: string;
    }[];
    assert.deepEqual(
      warnings.map(({ fieldRef }) => fieldRef),
      [
        'spec.validations[1].expression',
        'spec.validations[2].expression',
        'spec.validations[2].messageExpression',
      ],
    );
    assert.match(
      warnings[0]?.warning ?? '',
      /^apps\/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '\(int, string\)'/,
    );
    assert.match(warnings[1]?.warning ?? '', /undefined field 'nothing'/);
  });

  test('are checked against each of the kinds they name, in the order of their groups', async () => {
    const rule = { ...mapRule, apiGroups: ['apps', ''], resources: ['deployments', 'pods'] };
    await policy('validating', 'several', {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'object.spec.nodeName == 1' }],
    });
    const path = `${group}/validatingadmissionpolicies/several`;
    const answer = await api.until(path, (got) => got.at('status.observedGeneration') === 1);
    assert.deepEqual(answer.at('status.typeChecking.expressionWarnings'), [
      {
        fieldRef: 'spec.validations[0].expression',
        warning: [
          "/v1, Kind=Pod: ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(string, int)'",
          ' | object.spec.nodeName == 1',
          ' | .....................^',
          '',
          "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nodeName'",
          ' | object.spec.nodeName == 1',
          ' | ...........^',
          '',
        ].join('\n'),
      },
    ]);
  });

  test('are checked against the schemas of custom kinds', async () => {
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
      },
    };
    const names = { plural: 'boxes', singular: 'box', kind: 'Box' };
    const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await api.request('POST', crds, {
      body: {
        metadata: { name: 'boxes.acme.com' },
        spec: {
          group: 'acme.com',
          scope: 'Namespaced',
          names,
          versions: [{ name: 'v1', served: true, storage: true, schema }],
        },
      },
    });
    await api.until('/apis/acme.com/v1/boxes', ({ status }) => status === 200);
    const rule = { ...mapRule, apiGroups: ['acme.com'], apiVersions: ['v1'], resources: ['boxes'] };
    await policy('validating', 'boxed', {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'object.spec.size > 1' }, { expression: 'object.spec.sise > 1' }],
    });
    const path = `${group}/validatingadmissionpolicies/boxed`;
    const answer = await api.until(path, (got) => got.at('status.observedGeneration') === 1);
    const warnings = answer.at('status.typeChecking.expressionWarnings') as { warning: string }[];
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.warning ?? '', /^acme.com\/v1, Kind=Box: [^]*undefined field 'sise'/);
  });

  test('work through client-node and never hold up policies themselves', async () => {
    const config = new KubeConfig();
    config.loadFromFile(api.kubeconfig);
    const client = config.makeApiClient(AdmissionregistrationV1Api);
    const everything = {
      apiGroups: ['*'],
      apiVersions: ['*'],
      operations: ['*'],
      resources: ['*'],
    };
    await client.createValidatingAdmissionPolicy({
      body: {
        metadata: { name: 'never' },
        spec: {
          matchConstraints: { resourceRules: [everything] },
          validations: [{ expression: 'false' }],
        },
      },
    });
    await client.createValidatingAdmissionPolicyBinding({
      body: {
        metadata: { name: 'never-binding' },
        spec: { policyName: 'never', validationActions: ['Deny'] },
      },
    });
    assert.equal((await create('any')).status, 422);
    const review = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const spec = { nonResourceAttributes: { path: '/x', verb: 'get' } };
    assert.equal((await api.request('POST', review, { body: { spec } })).status, 201);
    await client.deleteValidatingAdmissionPolicyBinding({ name: 'never-binding' });
    assert.equal((await create('any')).status, 201);
  });
});

describe('mutating policies', () => {
  test('apply configurations, one seeing what the other did', async () => {
    await mutate('a-label', {
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression:
              "Object{metadata: Object.metadata{labels: {'made-by': request.userInfo.username.replace(':', '-')}}}",
          },
        },
      ],
    });
    await mutate('b-data', {
      matchConditions: [{ name: 'labelled', expression: "'made-by' in object.metadata.labels" }],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression:
              "[JSONPatch{op: 'add', path: '/data', value: {'by': object.metadata.labels['made-by']}}]",
          },
        },
      ],
    });
    const answer = await create('made', {}, { labels: { own: '1' } });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(answer.at('metadata.labels'), { own: '1', 'made-by': 'system-admin' });
    assert.equal(answer.at('data.by'), 'system-admin');
  });

  test('merge lists by their keys and get defaults', async () => {
    await mutate('sidecar', {
      matchConstraints: {
        resourceRules: [{ ...mapRule, apiGroups: ['apps'], resources: ['deployments'] }],
      },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression:
              "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'side', image: 's'}]}}}}",
          },
        },
      ],
    });
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const answer = await api.request('POST', '/apis/apps/v1/namespaces/policies/deployments', {
      body: { metadata: { name: 'x' }, spec: { selector: { matchLabels: labels }, template } },
    });
    assert.deepEqual(answer.at('spec.template.spec.containers.*.name'), ['c', 'side']);
    assert.equal(answer.at('spec.template.spec.containers.1.imagePullPolicy'), 'Always');
  });

  test('are asked again when a later policy changed the object', async () => {
    const label = (expression: string) => ({
      patchType: 'ApplyConfiguration',
      applyConfiguration: { expression },
    });
    await mutate('a-early', {
      reinvocationPolicy: 'IfNeeded',
      mutations: [
        label(
          "has(object.metadata.labels) && 'late' in object.metadata.labels ? Object{metadata: Object.metadata{labels: {'early': 'saw'}}} : Object{}",
        ),
      ],
    });
    await mutate('b-late', {
      mutations: [label("Object{metadata: Object.metadata{labels: {'late': 'yes'}}}")],
    });
    const answer = await create('again');
    assert.deepEqual(answer.at('metadata.labels'), { early: 'saw', late: 'yes' });
  });

  test('may not replace what is one value to its owners', async () => {
    await mutate('atomic', {
      matchConstraints: { resourceRules: [{ ...mapRule, resources: ['pods'] }] },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression:
              "Object{spec: Object.spec{securityContext: Object.spec.securityContext{sysctls: [Object.spec.securityContext.sysctls{name: 'a', value: 'b'}]}}}",
          },
        },
      ],
    });
    await api.request('POST', '/api/v1/namespaces/policies/serviceaccounts', {
      body: { metadata: { name: 'default' } },
    });
    const answer = await api.request('POST', '/api/v1/namespaces/policies/pods', {
      body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    assert.equal(answer.status, 403);
    assert.match(
      String(answer.at('message')),
      /error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.securityContext.sysctls$/,
    );
  });

  test('that cannot be applied deny the request', async () => {
    await mutate('broken', {
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: "[JSONPatch{op: 'remove', path: '/data/none'}]" },
        },
      ],
    });
    const answer = await create('any', { a: '' });
    assert.equal(answer.status, 403);
    assert.match(
      String(answer.at('message')),
      /^policy 'broken' with binding 'broken-binding' denied request: JSONPath: /,
    );
  });
});
