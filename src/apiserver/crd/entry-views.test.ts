import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { UnknownObject } from '#schema/mod.ts';
import { CacheEntry, VersionedLayout } from '../cache/mod.ts';
import type { VersionConverter } from './convert.ts';
import { trivialConverter } from './convert.ts';
import { EntryViews } from './entry-views.ts';

const layout = new VersionedLayout({ group: 'g', version: 'v1', kind: 'K' });

function entryOf(version: string, spec: object): CacheEntry {
  const object = {
    kind: 'K',
    apiVersion: `g/${version}`,
    metadata: { name: 'a', resourceVersion: '7' },
    spec,
  } as unknown as UnknownObject;
  const bytes = layout.encode(object).bytes(7);
  return new CacheEntry({
    key: '/registry/g/ks/a',
    namespace: '',
    name: 'a',
    revision: 7,
    bytes,
    fields: {},
    labels: undefined,
  });
}

const viewsOf = (
  version: string,
  converter: VersionConverter = trivialConverter,
  polish = (object: UnknownObject): UnknownObject => object,
): EntryViews => new EntryViews({ of: { group: 'g', version, kind: 'K' }, converter, polish });

describe('views of entries', () => {
  it('are the entry itself when nothing differs', () => {
    const entry = entryOf('v1', { a: 1 });
    const views = viewsOf('v1');
    assert.equal(views.bytesOf(entry), entry.bytes);
    assert.equal(views.objectOf(entry), entry.object());
    assert.equal(views.isSame(entry), true);
  });

  it('carry the name of their version and the revision of the entry', () => {
    const views = viewsOf('v2');
    const shown = JSON.parse(views.bytesOf(entryOf('v1', { a: 1 })).toString()) as UnknownObject;
    assert.equal(shown.apiVersion, 'g/v2');
    assert.equal(shown.metadata.resourceVersion, '7');
    assert.deepEqual(shown['spec'], { a: 1 });
  });

  it('are brought into form, and the form is kept', () => {
    let calls = 0;
    const views = viewsOf('v1', trivialConverter, (object) => {
      calls++;
      return { ...object, spec: { a: 1, defaulted: true } };
    });
    const entry = entryOf('v1', { a: 1 });
    assert.deepEqual(views.objectOf(entry)['spec'], { a: 1, defaulted: true });
    assert.match(views.bytesOf(entry).toString(), /"defaulted":true/);
    assert.equal(calls, 1);
    assert.equal(views.isSame(entry), false);
  });

  it('are converted once however many wait for them', async () => {
    let calls = 0;
    const converter: VersionConverter = {
      isTrivial: false,
      convert(objects, apiVersion) {
        calls++;
        return Promise.resolve(objects.map((object) => ({ ...object, apiVersion, spec: 'new' })));
      },
    };
    const views = viewsOf('v2', converter);
    const entry = entryOf('v1', {});
    await Promise.all([views.prepare([entry]), views.prepare([entry])]);
    assert.equal(views.prepare([entry]), undefined);
    assert.equal(calls, 1);
    assert.equal(views.objectOf(entry)['spec'], 'new');
    assert.equal(
      viewsOf('v1', converter).prepare([entry]),
      undefined,
      'the stored version is there',
    );
  });

  it('reject with what the converter says', async () => {
    const converter: VersionConverter = {
      isTrivial: false,
      convert: () => Promise.reject(new Error('no way')),
    };
    await assert.rejects(async () => await viewsOf('v2', converter).prepare([entryOf('v1', {})]), {
      message: 'no way',
    });
  });
});
