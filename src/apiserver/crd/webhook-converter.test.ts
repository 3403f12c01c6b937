import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { systemRandom } from '#base/random.ts';
import type { UnknownObject } from '#schema/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import { createWebhookConverter } from './webhook-converter.ts';

interface Request {
  uid: string;
  objects: UnknownObject[];
  desiredAPIVersion: string;
}

const definition = {
  metadata: { name: 'things.g.example' },
  spec: {
    conversion: {
      strategy: 'Webhook',
      webhook: {
        conversionReviewVersions: ['v2', 'v1'],
        clientConfig: { url: 'https://h.example' },
      },
    },
  },
} as unknown as CustomResourceDefinition;

const thing = (name: string, version: string): UnknownObject => ({
  apiVersion: `g.example/${version}`,
  kind: 'Thing',
  metadata: { name, uid: `u-${name}`, labels: { a: 'b' }, generation: 2 },
  spec: { name },
});

/** Converts with a webhook that answers what `answer` makes of a request. */
function convert(
  objects: readonly UnknownObject[],
  answer: (request: Request) => unknown,
): Promise<readonly UnknownObject[]> {
  const converter = createWebhookConverter({
    definition,
    random: systemRandom,
    client: {
      call: (_config, body) => Promise.resolve(answer((body as { request: Request }).request)),
      close: () => undefined,
    },
  });
  return converter.convert(objects, 'g.example/v2');
}

function review(request: Request, response: object): object {
  return {
    kind: 'ConversionReview',
    apiVersion: 'apiextensions.k8s.io/v1',
    response: { uid: request.uid, ...response },
  };
}

const success = { status: 'Success' };
const moved = (request: Request, change: (object: UnknownObject) => unknown): object =>
  review(request, {
    result: success,
    convertedObjects: request.objects.map((object) =>
      change({ ...object, apiVersion: request.desiredAPIVersion }),
    ),
  });

describe('conversion webhooks', () => {
  it('get all objects of other versions at once, and keep metadata but labels', async () => {
    let calls = 0;
    const objects = [thing('a', 'v1'), thing('b', 'v2'), thing('c', 'v1')];
    const converted = await convert(objects, (request) => {
      calls++;
      assert.deepEqual(
        request.objects.map(({ metadata }) => metadata.name),
        ['a', 'c'],
      );
      return moved(request, (object) => ({
        ...object,
        metadata: { ...object.metadata, generation: 99, labels: { new: 'x' } },
        spec: { renamed: object.metadata.name },
      }));
    });
    assert.equal(calls, 1);
    assert.equal(converted[1], objects[1]);
    assert.equal(converted[2]?.apiVersion, 'g.example/v2');
    assert.deepEqual(converted[2]['spec'], { renamed: 'c' });
    assert.deepEqual(converted[2].metadata, {
      name: 'c',
      uid: 'u-c',
      generation: 2,
      labels: { new: 'x' },
    });
  });

  const from = 'conversion webhook for g.example/v1, Kind=Thing';
  const failures: ReadonlyArray<readonly [text: string, answer: (request: Request) => unknown]> = [
    [`${from} failed: no response provided`, (r) => ({ ...review(r, {}), response: null })],
    [
      `${from} failed: broken`,
      (r) => review(r, { result: { status: 'Failure', message: 'broken' } }),
    ],
    [
      `${from} failed: response.result.status was 'Maybe', not 'Success'`,
      (r) => review(r, { result: { status: 'Maybe' } }),
    ],
    [
      `${from} returned 0 objects, expected 1`,
      (r) => review(r, { result: success, convertedObjects: [] }),
    ],
    [
      `${from} returned invalid object at index 0: invalid groupVersion (expected g.example/v2, received g.example/v3)`,
      (r) => moved(r, (o) => ({ ...o, apiVersion: 'g.example/v3' })),
    ],
    [
      `${from} returned invalid object at index 0: invalid kind (expected Thing, received Other)`,
      (r) => moved(r, (o) => ({ ...o, kind: 'Other' })),
    ],
    [
      `${from} returned invalid object: must have the same UID: u-a != u-z`,
      (r) => moved(r, (o) => ({ ...o, metadata: { ...o.metadata, uid: 'u-z' } })),
    ],
    [
      `${from} returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object`,
      (r) => moved(r, (o) => ({ ...o, metadata: { ...o.metadata, labels: { a: 1 } } })),
    ],
    [
      `${from} returned invalid object at index 0: invalid groupVersion (expected g.example/v2, received )`,
      (r) => moved(r, ({ kind, metadata }) => ({ kind, metadata })),
    ],
    [`Object 'Kind' is missing in '{"metadata":{}}'`, (r) => moved(r, () => ({ metadata: {} }))],
    [
      `${from} failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=`,
      () => ({}),
    ],
  ];
  for (const [text, answer] of failures) {
    it(text, async () => {
      await assert.rejects(convert([thing('a', 'v1')], answer), { message: text });
    });
  }

  it('may not leave metadata that is not valid', async () => {
    const annotations = { '-': 'a' };
    const changed = convert([thing('a', 'v1')], (r) =>
      moved(r, (o) => ({ ...o, metadata: { ...o.metadata, annotations } })),
    );
    await assert.rejects(changed, (error: Error) => {
      const start = `${from} returned invalid metadata: metadata.annotation: Invalid value: "-": name`;
      assert.equal(error.message.slice(0, start.length), start);
      return true;
    });
  });

  it('must answer the request that was made', async () => {
    const wrong = (request: Request): object => ({
      ...moved(request, (object) => object),
      response: { uid: 'other', result: success },
    });
    await assert.rejects(
      convert([thing('a', 'v1')], wrong),
      /expected response\.uid=".*", got "other"/,
    );
  });
});
