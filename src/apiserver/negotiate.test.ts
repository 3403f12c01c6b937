import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiateForm, wantsPretty } from './negotiate.ts';

test('answers are indented for who asks, and for people who do not say', () => {
  const cases: [query: string, userAgent: string, isPretty: boolean][] = [
    ['', 'kubectl/v1.36', false],
    ['', 'curl/8.0', true],
    ['', 'Mozilla/5.0 (X11)', true],
    ['', 'Mozilla/4.0', false],
    ['pretty=true', 'kubectl/v1.36', true],
    ['pretty=T', 'kubectl/v1.36', true],
    ['pretty=maybe', 'curl/8.0', false],
    ['pretty=false', 'curl/8.0', false],
    ['pretty=', 'curl/8.0', true],
  ];
  for (const [query, userAgent, isPretty] of cases) {
    assert.equal(wantsPretty(query, userAgent), isPretty, `${query} ${userAgent}`);
  }
});

test('a media type may ask for indentation as well', () => {
  const form = negotiateForm('application/json;pretty=1', []);
  assert.equal(wantsPretty('', 'kubectl/v1.36', form), true);
  const plain = negotiateForm('application/json;pretty=0', []);
  assert.equal(wantsPretty('', 'kubectl/v1.36', plain), false);
});

test('the first shape that can be served is what the client gets, as JSON where it takes that', () => {
  const protobuf = 'application/vnd.kubernetes.protobuf';
  const json = 'application/json';
  const partial = ';as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const table = ';as=Table;g=meta.k8s.io;v=v1';
  const shapes = ['Table', 'PartialObjectMetadata'];
  const cases: [accept: string, media: string, as: string | undefined][] = [
    [`${protobuf},${json}`, 'json', undefined],
    [`${protobuf}, */*`, 'json', undefined],
    [protobuf, 'protobuf', undefined],
    [`${protobuf}${partial},${json}${partial},${json}`, 'json', 'PartialObjectMetadata'],
    [`${protobuf}${partial},${json}`, 'protobuf', 'PartialObjectMetadata'],
    [`${protobuf}${table},${json}${partial},${json}`, 'json', 'PartialObjectMetadata'],
    [`${json}${table},${protobuf}`, 'json', 'Table'],
  ];
  for (const [accept, media, as] of cases) {
    const form = negotiateForm(accept, shapes);
    assert.deepEqual([form.media, form.as], [media, as], accept);
  }
});
