import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keptText, trackUpdate } from '#schema/apply/mod.ts';
import type { UnknownObject } from '#schema/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { StoreEvent } from '#store/mod.ts';
import { ByteLayout } from './byte-layout.ts';
import { listEntries } from './list-entries.ts';
import { PrefixCache } from './prefix-cache.ts';
import { Selection } from './selection.ts';
import type { Subscription } from './subscription.ts';

const layout = new ByteLayout({ group: '', version: 'v1', kind: 'Pod' });

function newCache(limits: { ringEvents?: number; ringBytes?: number } = {}): PrefixCache {
  const cache = new PrefixCache({
    prefix: '/registry/pods/',
    namespaced: true,
    layout,
    selectableFields: ['metadata.name', 'spec.nodeName'],
    decodeForeign: () => {
      throw new Error('not JSON');
    },
    ringEvents: limits.ringEvents ?? 100,
    ringBytes: limits.ringBytes ?? 1e6,
  });
  cache.load([], 1);
  return cache;
}

function podOf(path: string, extra: object = {}): UnknownObject {
  const [namespace = '', name = ''] = path.split('/');
  return { metadata: { name, namespace }, ...extra };
}

function put(cache: PrefixCache, path: string, revision: number, extra: object = {}): void {
  const value = layout.encode(podOf(path, extra)).bytes(revision);
  cache.apply(eventOf('put', path, revision, value), undefined);
}

function remove(cache: PrefixCache, path: string, revision: number): void {
  const value = layout.encode(podOf(path)).bytes(revision);
  cache.apply(eventOf('delete', path, revision, value), undefined);
}

function eventOf(
  type: 'put' | 'delete',
  path: string,
  revision: number,
  value: Buffer,
): StoreEvent {
  const key = `/registry/pods/${path}`;
  return { type, key, value, createRevision: revision, modRevision: revision, previous: undefined };
}

function names(
  cache: PrefixCache,
  query: Partial<Parameters<typeof listEntries>[1]> = {},
): string[] {
  const full = { selection: new Selection(), limit: 0, start: '', ...query };
  return listEntries(cache, full).entries.map((entry) => `${entry.namespace}/${entry.name}`);
}

function drain(subscription: Subscription | undefined): string[] {
  const seen: string[] = [];
  for (;;) {
    const delivery = subscription?.next();
    if (delivery === undefined) return seen;
    seen.push(`${delivery.type} ${delivery.entry.name}`);
  }
}

/** The set that a create leaves to its manager; shared by all pods of this form. */
function fieldsOfCreator(fields: object): object {
  const info = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
  assert.ok(info);
  const object = fields as UnknownObject;
  const operation = 'Update';
  const created = trackUpdate({
    old: undefined,
    object,
    manager: 'a',
    operation,
    info,
    subresource: '',
    nowMs: 0,
  });
  return created.metadata.managedFields?.[0]?.fieldsV1 as object;
}

describe('byte layout', () => {
  test('puts kind, apiVersion and the revision first and keeps the rest', () => {
    const bytes = layout.encode(podOf('a/b', { spec: { nodeName: 'ö' } })).bytes(12);
    assert.equal(
      bytes.toString(),
      '{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"12","name":"b","namespace":"a"},"spec":{"nodeName":"ö"}}',
    );
    assert.ok(layout.isInForm(bytes, 12));
    assert.ok(!layout.isInForm(bytes, 120));
  });

  test('splices another revision into bytes', () => {
    const bytes = layout.encode(podOf('a/b')).bytes(9);
    const again = layout.reencode(bytes).bytes(1000);
    assert.deepEqual(again, layout.encode(podOf('a/b')).bytes(1000));
  });

  test('writes owners whose text is kept as all others, and last', () => {
    const makeFields = () => fieldsOfCreator({ metadata: { name: 'b' }, spec: { nodeName: 'c' } });
    let fieldsV1 = makeFields();
    // One in eight new forms is remembered, and other tests of this process made some.
    for (let i = 0; i < 8 && keptText(fieldsV1) === undefined; i++) fieldsV1 = makeFields();
    assert.equal(keptText(fieldsV1), '{"f:spec":{"f:nodeName":{}}}');
    const owner = { manager: 'a "b"', operation: 'Update', apiVersion: 'v1' } as const;
    const form = { ...owner, time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1' } as const;
    const managedFields = [
      { ...form, fieldsV1, subresource: 'status' },
      { ...form, fieldsV1: { 'f:metadata': {} } },
      { ...form, fieldsV1 },
      owner,
    ];
    const object = { metadata: { managedFields, name: 'b' }, spec: {} } as unknown as UnknownObject;
    const text = layout.encode(object).bytes(3).toString();
    const metadata = { resourceVersion: '3', name: 'b', managedFields };
    assert.deepEqual(JSON.parse(text), { kind: 'Pod', apiVersion: 'v1', metadata, spec: {} });
    assert.match(text, /"name":"b","managedFields":\[\{"manager":"a \\"b\\"",/);
    assert.match(text, /"fieldsV1":\{"f:spec":\{"f:nodeName":\{\}\}\},"subresource":"status"\}/);
  });

  test('an object with nothing but a version is valid JSON', () => {
    const empty = { metadata: {} } as UnknownObject;
    assert.deepEqual(JSON.parse(layout.encode(empty).bytes(3).toString()), {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { resourceVersion: '3' },
    });
  });
});

describe('prefix cache', () => {
  test('gives values of other writers their resourceVersion', () => {
    const cache = newCache();
    const value = Buffer.from('{"metadata":{"name":"x","namespace":"n"},"kind":"Pod"}\n');
    cache.apply(eventOf('put', 'n/x', 7, value), undefined);
    const entry = cache.get('/registry/pods/n/x');
    assert.equal(entry?.object().metadata.resourceVersion, '7');
    assert.ok(layout.isInForm(entry?.bytes ?? Buffer.alloc(0), 7));
  });

  test('lists in the byte order of keys across namespaces', () => {
    const cache = newCache();
    let revision = 2;
    for (const path of ['ns/b', 'ns-a/z', 'ns/a', 'm/q']) put(cache, path, revision++);
    assert.deepEqual(names(cache), ['m/q', 'ns-a/z', 'ns/a', 'ns/b']);
    const selection = new Selection({ namespace: 'ns' });
    assert.deepEqual(names(cache, { selection }), ['ns/a', 'ns/b']);
    assert.deepEqual(names(cache, { start: 'ns-a/z\0' }), ['ns/a', 'ns/b']);
  });

  test('says how many follow a page', () => {
    const cache = newCache();
    for (let i = 0; i < 7; i++) put(cache, `n${i % 2}/p${i}`, i + 2);
    const slice = listEntries(cache, { selection: new Selection(), limit: 3, start: '' });
    assert.equal(slice.hasMore, true);
    assert.equal(slice.remaining, 4);
  });

  test('lists the state of an earlier revision while the ring remembers it', () => {
    const cache = newCache();
    put(cache, 'n/a', 2);
    put(cache, 'n/b', 3);
    put(cache, 'n/c', 4);
    remove(cache, 'n/a', 5);
    put(cache, 'n/b', 6, { spec: { nodeName: 'late' } });
    put(cache, 'n/d', 7);
    assert.deepEqual(names(cache, { revision: 4 }), ['n/a', 'n/b', 'n/c']);
    assert.deepEqual(names(cache, { revision: 5 }), ['n/b', 'n/c']);
    assert.deepEqual(names(cache), ['n/b', 'n/c', 'n/d']);
  });

  test('tells its listeners what a reload changed', () => {
    const cache = newCache();
    put(cache, 'n/a', 2);
    put(cache, 'n/b', 3);
    const seen: string[] = [];
    cache.onChange((change) => seen.push(`${change.type} ${change.entry.name}`));
    const item = (path: string, revision: number): StoreEvent =>
      eventOf('put', path, revision, layout.encode(podOf(path)).bytes(revision));
    cache.load([item('n/b', 3), item('n/c', 9)], 9);
    assert.deepEqual(seen, ['DELETED a', 'ADDED c']);
  });
});

describe('subscription', () => {
  test('resumes after a revision without gaps', () => {
    const cache = newCache();
    put(cache, 'n/a', 2);
    put(cache, 'n/b', 3);
    const subscription = cache.subscribe(new Selection(), 2, () => undefined);
    assert.deepEqual(drain(subscription), ['ADDED b']);
  });

  test('cannot start before what the ring holds', () => {
    const cache = newCache({ ringEvents: 4 });
    for (let i = 0; i < 10; i++) put(cache, `n/p${i}`, i + 2);
    assert.equal(
      cache.subscribe(new Selection(), 2, () => undefined),
      undefined,
    );
    assert.notEqual(
      cache.subscribe(new Selection(), 10, () => undefined),
      undefined,
    );
  });

  test('ends watchers when it is closed, also those that begin later', () => {
    const cache = newCache();
    let woken = 0;
    const early = cache.subscribe(new Selection(), undefined, () => void woken++);
    cache.close();
    const late = cache.subscribe(new Selection(), undefined, () => void woken++);
    assert.deepEqual([early?.endReason, late?.endReason, woken], ['reset', 'reset', 1]);
    assert.equal(late?.next(), undefined);
  });

  test('ends a watcher that the ring has overtaken', () => {
    const cache = newCache({ ringEvents: 4 });
    const subscription = cache.subscribe(new Selection(), 1, () => undefined);
    put(cache, 'n/a', 2);
    subscription?.notice(cache.ring.nextSequence - 1);
    for (let i = 0; i < 10; i++) put(cache, `n/p${i}`, i + 3);
    assert.deepEqual(drain(subscription), []);
    assert.equal(subscription?.endReason, 'slow');
  });

  test('shows an object that leaves the selection as deleted, in its earlier state', () => {
    const cache = newCache();
    const fields = {
      isEmpty: false,
      matches: (v: Record<string, string>) => v['spec.nodeName'] === 'n1',
    };
    const exactFields = { 'spec.nodeName': 'n1' };
    const subscription = cache.subscribe(
      new Selection({ fields, exactFields }),
      1,
      () => undefined,
    );
    put(cache, 'n/a', 2, { spec: { nodeName: 'n1' } });
    put(cache, 'n/a', 3, { spec: { nodeName: 'n2' } });
    put(cache, 'n/a', 4, { spec: { nodeName: 'n1' } });
    subscription?.notice(cache.ring.firstSequence);
    assert.deepEqual(drain(subscription), ['ADDED a', 'DELETED a', 'ADDED a']);
  });

  test('is found by the field that it fixes, before and after a change', () => {
    const cache = newCache();
    const exactFields = { 'spec.nodeName': 'n1' };
    const subscription = cache.subscribe(
      new Selection({ exactFields }),
      undefined,
      () => undefined,
    );
    let found = 0;
    cache.onChange((change) => {
      cache.watchers.forEvent(change, (watcher) => {
        if (watcher === subscription) found++;
      });
    });
    put(cache, 'n/a', 2, { spec: { nodeName: 'n1' } });
    put(cache, 'n/a', 3, { spec: { nodeName: 'n2' } });
    put(cache, 'n/a', 4, { spec: { nodeName: 'n3' } });
    assert.equal(found, 2);
  });
});
