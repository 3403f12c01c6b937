import { messageOf } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { isMap } from '#schema/structural/mod.ts';
import { annotationErrors, labelErrors } from '#schema/validation/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import type { WebhookClient, WebhookClientConfig } from '../webhook-client/mod.ts';
import type { VersionConverter } from './convert.ts';

const timeoutMs = 30_000;
/** Objects in one review, so that requests and answers stay within their bounds. */
const maxObjects = 500;
const groupName = 'apiextensions.k8s.io';

interface Review {
  kind?: unknown;
  apiVersion?: unknown;
  response?: {
    uid?: unknown;
    convertedObjects?: unknown;
    result?: { status?: unknown; message?: unknown };
  } | null;
}

/** Converts by ConversionReviews to the webhook that the definition names, several at once. */
export function createWebhookConverter(options: {
  definition: CustomResourceDefinition;
  client: WebhookClient;
  random: Random;
}): VersionConverter {
  const { definition, client, random } = options;
  const webhook = definition.spec.conversion?.webhook;
  const config = (webhook?.clientConfig ?? {}) as WebhookClientConfig;
  const reviewVersion = (webhook?.conversionReviewVersions ?? []).find(
    (version) => version === 'v1' || version === 'v1beta1',
  );
  const send = async (objects: readonly UnknownObject[], wanted: string): Promise<unknown[]> => {
    if (reviewVersion === undefined) throw new Error('no supported conversion review versions');
    const uid = random.uuid();
    const from = kindText(objects[0] as UnknownObject);
    const review = {
      kind: 'ConversionReview',
      apiVersion: `${groupName}/${reviewVersion}`,
      request: { uid, desiredAPIVersion: wanted, objects },
    };
    try {
      const answer = (await client.call(config, review, { timeoutMs })) as Review;
      return readAnswer(answer, uid, reviewVersion);
    } catch (error) {
      throw new Error(`conversion webhook for ${from} failed: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  const convertSome = async (
    objects: readonly UnknownObject[],
    apiVersion: string,
  ): Promise<UnknownObject[]> => {
    const converted = await send(objects, apiVersion);
    const from = kindText(objects[0] as UnknownObject);
    if (converted.length !== objects.length) {
      throw new Error(
        `conversion webhook for ${from} returned ${converted.length} objects, expected ${objects.length}`,
      );
    }
    return objects.map((object, index) => checkConverted(object, converted[index], apiVersion));
  };
  return {
    isTrivial: false,
    async convert(objects, apiVersion) {
      const waiting = objects.filter((object) => object.apiVersion !== apiVersion);
      const done = new Map<UnknownObject, UnknownObject>();
      for (let start = 0; start < waiting.length; start += maxObjects) {
        const some = waiting.slice(start, start + maxObjects);
        const converted = await convertSome(some, apiVersion);
        some.forEach((object, index) => done.set(object, converted[index] as UnknownObject));
      }
      return objects.map((object) => done.get(object) ?? object);
    },
  };
}

function kindText({ apiVersion = '', kind = '' }: UnknownObject): string {
  return `${apiVersion}, Kind=${kind}`;
}

function readAnswer(review: Review, uid: string, version: string): unknown[] {
  const wanted = `${groupName}/${version}`;
  if (version === 'v1' && (review.kind !== 'ConversionReview' || review.apiVersion !== wanted)) {
    const given = String(review.apiVersion ?? '');
    const got = `${given.includes('/') ? '' : '/'}${given}, Kind=${String(review.kind ?? '')}`;
    throw new Error(`expected webhook response of ${wanted}, Kind=ConversionReview, got ${got}`);
  }
  const { response } = review;
  if (response === undefined || response === null) throw new Error('no response provided');
  if (version === 'v1' && response.uid !== uid) {
    const got = typeof response.uid === 'string' ? response.uid : '';
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(got)}`);
  }
  const { status, message } = response.result ?? {};
  if (status !== 'Success') {
    if (typeof message === 'string' && message !== '') throw new Error(message);
    const text = typeof status === 'string' ? status : '';
    throw new Error(`response.result.status was '${text}', not 'Success'`);
  }
  return Array.isArray(response.convertedObjects) ? response.convertedObjects : [];
}

/**
 * The converted object with the original's metadata but for labels and annotations. Errors are
 * those that upstream makes of one object, as it never sends more.
 */
function checkConverted(
  original: UnknownObject,
  converted: unknown,
  apiVersion: string,
): UnknownObject {
  const from = `conversion webhook for ${kindText(original)} returned invalid`;
  const given: Json = isMap(converted) ? converted : {};
  const { kind, apiVersion: got = '', metadata } = given;
  if (!isMap(converted) || kind === undefined || kind === '') {
    throw new Error(`Object 'Kind' is missing in '${JSON.stringify(converted)}'`);
  }
  if (got !== apiVersion) {
    throw new Error(
      `${from} object at index 0: invalid groupVersion (expected ${apiVersion}, received ${String(got)})`,
    );
  }
  if (kind !== original.kind) {
    throw new Error(
      `${from} object at index 0: invalid kind (expected ${original.kind ?? ''}, received ${String(kind)})`,
    );
  }
  const meta = isMap(metadata) ? metadata : {};
  for (const [field, label] of identityFields) {
    const expected = original.metadata[field] ?? '';
    const actual = meta[field] ?? '';
    if (actual === expected) continue;
    throw new Error(
      `${from} object: must have the same ${label}: ${expected} != ${String(actual)}`,
    );
  }
  try {
    return { ...converted, metadata: restoreMeta(original, metadata) };
  } catch (error) {
    throw new Error(`${from} metadata: ${messageOf(error)}`, { cause: error });
  }
}

type Json = Readonly<Record<string, unknown>>;

const identityFields = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const;

function restoreMeta(original: UnknownObject, metadata: unknown): UnknownObject['metadata'] {
  if (metadata === undefined) throw new Error('missing metadata in converted object');
  if (!isMap(metadata)) {
    throw new Error(`invalid metadata of type ${goTypeOf(metadata)} in converted object`);
  }
  const { labels: _labels, annotations: _annotations, ...rest } = original.metadata;
  const result: UnknownObject['metadata'] = { ...rest };
  for (const field of ['labels', 'annotations'] as const) {
    const values = metadata[field];
    if (values === undefined || values === null) continue;
    if (!isMap(values)) {
      throw new Error(`invalid metadata.${field} of type ${goTypeOf(values)} in converted object`);
    }
    for (const [key, value] of Object.entries(values)) {
      if (typeof value === 'string') continue;
      throw new Error(
        `metadata.${field}[${key}] must be a string, but is ${goTypeOf(value)} in converted object`,
      );
    }
    const texts = values as Record<string, string>;
    const errors = field === 'labels' ? labelErrors(texts) : annotationErrors(texts);
    // upstream names annotations in the singular here
    const path = field === 'labels' ? 'metadata.labels' : 'metadata.annotation';
    const lines = errors.map((error) => `${path}: ${error.message}`);
    if (lines.length > 0) throw new Error(lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`);
    result[field] = texts;
  }
  return result;
}

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
