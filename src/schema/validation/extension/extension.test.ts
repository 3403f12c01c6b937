import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const admission = 'admissionregistration.k8s.io';
const required = 'Required value';

test('webhook configurations', () => {
  const at = 'webhooks[0]';
  validKind(admission, 'validatingwebhookconfigurations').create([
    [
      { 'webhooks.0.name': 'check' },
      `${at}.name: Invalid value: "check": should be a domain with at least three segments separated by dots`,
    ],
    [
      { 'webhooks.0.sideEffects': 'Some' },
      `${at}.sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"`,
    ],
    [
      { 'webhooks.0.clientConfig': {} },
      `${at}.clientConfig: Required value: exactly one of url or service is required`,
    ],
    [
      { 'webhooks.0.clientConfig': { url: 'http://u@host/p?q#f' } },
      `${at}.clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]`,
      `${at}.clientConfig.url: Invalid value: "u": user information is not permitted in the URL`,
      `${at}.clientConfig.url: Invalid value: "f": fragments are not permitted in the URL`,
      `${at}.clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL`,
    ],
    [
      { 'webhooks.0.timeoutSeconds': 31 },
      `${at}.timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds`,
    ],
    [
      { 'webhooks.0.rules.0.resources': ['*', 'pods'] },
      `${at}.rules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources without subresources`,
    ],
    [
      { 'webhooks.0.admissionReviewVersions': ['v2'] },
      `${at}.admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1`,
    ],
  ]);
  validKind(admission, 'mutatingwebhookconfigurations').create([
    [
      { 'webhooks.0.reinvocationPolicy': 'Always' },
      `${at}.reinvocationPolicy: Unsupported value: "Always": supported values: "IfNeeded", "Never"`,
    ],
  ]);
});

test('admission policies and their bindings', () => {
  validKind(admission, 'validatingadmissionpolicies').create([
    [{ 'spec.matchConstraints': undefined }, `spec.matchConstraints: ${required}`],
    [
      { 'spec.validations.0.expression': ' ' },
      'spec.validations[0].expression: Required value: expression is not specified',
    ],
    [
      { 'spec.validations.0.reason': 'Because' },
      'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
    [
      { 'spec.variables': [{ name: 'for', expression: '1' }] },
      'spec.variables[0].name: Invalid value: "for": must be a valid CEL identifier',
    ],
    [
      { 'spec.paramKind': { apiVersion: 'a/b/c', kind: 'K' } },
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ],
  ]);
  validKind(admission, 'validatingadmissionpolicybindings').create([
    [
      { 'spec.validationActions': ['Deny', 'Warn'] },
      'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
    [
      { 'spec.paramRef': {} },
      'spec.paramRef: Required value: one of name or selector must be specified',
      `spec.paramRef.parameterNotFoundAction: ${required}`,
    ],
  ]);
  validKind(admission, 'mutatingadmissionpolicies').create([
    [
      { 'spec.matchConstraints.resourceRules.0.operations': ['DELETE'] },
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
    [
      { 'spec.mutations': [] },
      'spec.mutations: Required value: mutations must contain at least one item',
    ],
  ]);
});

test('CustomResourceDefinition', () => {
  const definitions = validKind('apiextensions.k8s.io', 'customresourcedefinitions');
  const schema = 'spec.versions.0.schema.openAPIV3Schema';
  const at = 'spec.validation.openAPIV3Schema';
  const text = { type: 'string' };
  definitions.create([
    [
      { 'metadata.name': 'other.example.com' },
      'metadata.name: Invalid value: "other.example.com": must be spec.names.plural+"."+spec.group',
    ],
    [
      { 'spec.scope': 'Galaxy' },
      'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
    ],
    [
      { 'spec.versions.0.schema': undefined },
      `spec.versions[0].schema.openAPIV3Schema: ${required}`,
    ],
    [
      { 'spec.names': { plural: 'widgets', singular: 'a', listKind: 'As', kind: 'Wid_get' } },
      `spec.names.kind: Invalid value: "Wid_get": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
    ],
    [
      { [`${schema}.properties`]: { spec: { properties: { a: {} } } } },
      `${at}.properties[spec].properties[a].type: Required value: must not be empty for specified object fields`,
      `${at}.properties[spec].type: Required value: must not be empty for specified object fields`,
    ],
    [
      { [`${schema}.properties`]: { spec: { type: 'array' } } },
      `${at}.properties[spec].items: Required value: must be specified`,
    ],
    [
      { [`${schema}.properties`]: { spec: { type: 'text', pattern: '(' } } },
      `${at}.properties[spec].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(\``,
      `${at}.properties[spec].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    [{ [schema]: { 'x-kubernetes-preserve-unknown-fields': true } }],
    [
      {
        [`${schema}.properties`]: {
          spec: {
            type: 'object',
            properties: {
              port: {
                'x-kubernetes-int-or-string': true,
                anyOf: [{ type: 'integer' }, { type: 'string' }],
              },
              any: { 'x-kubernetes-preserve-unknown-fields': true },
              map: { type: 'object', additionalProperties: { type: 'string' } },
            },
          },
        },
      },
    ],
    [
      { [schema]: { type: 'string' } },
      `${at}.type: Invalid value: "string": must be object at the root`,
    ],
    [
      {
        [`${schema}.properties`]: {
          spec: {
            type: 'object',
            properties: {
              closed: { type: 'object', properties: { a: text }, additionalProperties: false },
              open: { type: 'object', properties: { a: text }, additionalProperties: true },
            },
          },
        },
      },
      `${at}.properties[spec].properties[closed].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
    ],
    [
      {
        [`${schema}.properties`]: {
          metadata: { type: 'object', properties: { name: { ...text, default: 'x' } } },
        },
      },
      `${at}.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata`,
    ],
    [
      {
        [`${schema}.properties`]: {
          l: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['a', 'b', 'a'],
            items: { type: 'object', required: ['a'], properties: { a: text } },
          },
        },
      },
      `${at}.properties[l].x-kubernetes-list-map-keys: Invalid value: ["a","b","a"]: entries must all be names of item properties`,
      `${at}.properties[l].x-kubernetes-list-map-keys: Invalid value: ["a","b","a"]: must not contain duplicate entries`,
    ],
    [
      { 'spec.versions.0.additionalPrinterColumns': [{ name: 'A', type: 'text', jsonPath: 'a' }] },
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "a": must be a simple json path starting with .',
    ],
    [
      {
        'spec.versions.0.subresources.scale': {
          specReplicasPath: '.x',
          statusReplicasPath: '.status.n',
        },
      },
      'spec.subresources.scale.specReplicasPath: Invalid value: ".x": should be a json path under .spec',
    ],
    [
      { 'spec.group': 'example.k8s.io', 'metadata.name': 'widgets.example.k8s.io' },
      'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
    ],
  ]);
  definitions.update([
    [
      {},
      { 'spec.names.plural': 'gadgets' },
      'spec.names.plural: Invalid value: "gadgets": field is immutable',
    ],
    [
      { 'status.conditions': [{ type: 'Established', status: 'True' }] },
      { 'spec.scope': 'Cluster' },
      'spec.scope: Invalid value: "Cluster": field is immutable',
    ],
    [
      {},
      { 'spec.versions.0.name': 'v2' },
      'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
      'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
    ],
  ]);
});

test('APIService', () => {
  validKind('apiregistration.k8s.io', 'apiservices').create([
    [
      { 'metadata.name': 'x' },
      'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.example.com"',
    ],
    [
      { 'spec.versionPriority': 0 },
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
    [
      { 'spec.caBundle': 'AAAA' },
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
    ],
  ]);
});

test('device claims keep their spec', () => {
  validKind('resource.k8s.io', 'resourceclaims').update([
    [
      {},
      { 'spec.devices': { requests: [{ name: 'a' }] } },
      'spec: Invalid value: {"devices":{"requests":[{"name":"a"}]}}: field is immutable',
    ],
  ]);
});
