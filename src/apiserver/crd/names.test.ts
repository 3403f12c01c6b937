import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '#schema/types.ts';
import { acceptNames, nextConditions } from './names.ts';

function definition(
  names: Partial<CustomResourceDefinitionNames>,
  accepted?: Partial<CustomResourceDefinitionNames>,
  group = 'g.example',
): CustomResourceDefinition {
  const all = {
    plural: 'things',
    singular: 'thing',
    kind: 'Thing',
    listKind: 'ThingList',
    ...names,
  };
  return {
    metadata: { name: `${all.plural}.${group}`, generation: 1 },
    spec: { group, scope: 'Cluster', names: all, versions: [] },
    ...(accepted === undefined
      ? {}
      : { status: { acceptedNames: { plural: '', kind: '', ...accepted } } }),
  };
}

describe('names of definitions', () => {
  it('are accepted when nobody has them', () => {
    const own = definition({ shortNames: ['t'], categories: ['all'] });
    const verdict = acceptNames(own, [own]);
    assert.deepEqual(verdict.acceptedNames, own.spec.names);
    assert.deepEqual(verdict.namesAccepted, {
      type: 'NamesAccepted',
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
    });
  });

  it('stay as they were where another definition of the group has them', () => {
    const other = definition(
      { plural: 'others' },
      { plural: 'others', kind: 'Thing', shortNames: ['t', 'u'] },
    );
    const own = definition({ shortNames: ['t', 'u', 'v'] });
    const { acceptedNames, namesAccepted } = acceptNames(own, [own, other]);
    assert.equal(acceptedNames.plural, 'things');
    assert.equal(acceptedNames.kind, '');
    assert.equal(acceptedNames.shortNames, undefined);
    assert.equal(namesAccepted.status, 'False');
    assert.equal(namesAccepted.reason, 'KindConflict');
    assert.equal(namesAccepted.message, '"Thing" is already in use');
    const short = definition({ kind: 'Free', listKind: 'FreeList', shortNames: ['t', 'u'] });
    assert.equal(
      acceptNames(short, [short, other]).namesAccepted.message,
      '["t" is already in use, "u" is already in use]',
    );
  });

  it('of other groups do not matter', () => {
    const other = definition({}, { plural: 'things', kind: 'Thing' }, 'other.example');
    const own = definition({});
    assert.equal(acceptNames(own, [own, other]).namesAccepted.status, 'True');
  });
});

describe('conditions of definitions', () => {
  const refused = { type: 'NamesAccepted', status: 'False', reason: 'KindConflict', message: 'x' };
  const accepted = { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'y' };

  it('are Established once and stay so', () => {
    const own = definition({});
    const before = nextConditions(own, refused, 0);
    assert.deepEqual(
      before.map(({ type, status, reason }) => [type, status, reason]),
      [
        ['NamesAccepted', 'False', 'KindConflict'],
        ['Established', 'False', 'NotAccepted'],
      ],
    );
    const established = nextConditions(
      { ...own, status: { conditions: [...before] } },
      accepted,
      5000,
    );
    assert.equal(established[1]?.reason, 'InitialNamesAccepted');
    assert.equal(established[1].lastTransitionTime, '1970-01-01T00:00:05Z');
    const later = nextConditions(
      { ...own, status: { conditions: [...established] } },
      refused,
      9000,
    );
    assert.equal(later[1], established[1]);
  });

  it('tell of definitions that keep unknown fields', () => {
    const own = definition({});
    const old = { ...own, spec: { ...own.spec, preserveUnknownFields: true } };
    const conditions = nextConditions(old, accepted, 0);
    assert.equal(conditions[2]?.type, 'NonStructuralSchema');
    const mended = { ...own, status: { conditions: [...conditions] } };
    assert.equal(nextConditions(mended, accepted, 0).length, 2);
  });

  it('tell what makes schemas of older servers no structural ones', () => {
    const own = definition({});
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          a: { anyOf: [{ type: 'string', externalDocs: { url: 'https://a.example' } }] },
          b: { type: 'array' },
        },
      },
    };
    const version = { name: 'v1', served: true, storage: true };
    const versions = [version, { ...version, name: 'v2', schema }];
    const old = { ...own, spec: { ...own.spec, versions } };
    const told = nextConditions(old, accepted, 0)[2];
    const at = 'spec.versions[1].schema.openAPIV3Schema.properties';
    assert.deepEqual(
      [told?.type, told?.status, told?.reason, told?.message],
      [
        'NonStructuralSchema',
        'True',
        'Violations',
        `[${at}[a].anyOf[0].externalDocs: Forbidden: must be undefined to be structural, ${at}[a].anyOf[0].type: Forbidden: must be empty to be structural, ${at}[a].type: Required value: must not be empty for specified object fields, ${at}[b].items: Required value: must be specified]`,
      ],
    );
  });

  it('say who approved a kind of a protected group', () => {
    const own = definition({}, undefined, 'x.k8s.io');
    const policyOf = (annotation?: string): unknown => {
      const annotations = { 'api-approved.kubernetes.io': annotation ?? '' };
      const metadata = { ...own.metadata, annotations };
      const { status, reason, message } =
        nextConditions({ ...own, metadata }, accepted, 0)[2] ?? {};
      return [status, reason, message?.slice(0, 40)];
    };
    assert.deepEqual(policyOf(), [
      'False',
      'MissingAnnotation',
      'protected groups must have approval anno',
    ]);
    assert.deepEqual(policyOf('unapproved, trial'), [
      'False',
      'UnapprovedAnnotation',
      'not approved: "unapproved, trial"',
    ]);
    assert.deepEqual(policyOf('https://a.example/1'), [
      'True',
      'ApprovedAnnotation',
      'approved in https://a.example/1',
    ]);
    assert.equal(nextConditions(definition({}), accepted, 0).length, 2);
  });
});
