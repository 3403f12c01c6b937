import assert from 'node:assert/strict';
import { it } from 'node:test';

import { resources } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';

import type { ObjectReader } from './object-reader.ts';

/** An ObjectReader under test, with the means to change what it reads. */
export interface ReaderUnderTest {
  readonly reader: ObjectReader;
  /** Resolves when the reader shows the change. */
  put(name: string, labels: Record<string, string>): Promise<void> | void;
  remove(name: string): Promise<void> | void;
  /**
   * Loads everything anew, having changed the store unseen: `gone` is deleted and `added` created.
   * Left out for readers that never do that.
   */
  reload?(change: { gone: string; added: string }): Promise<void>;
}

/**
 * What every ObjectReader has to do, whoever wrote it: the rules of who may do what are built on
 * it, and a change that is not told leaves somebody in or out. Uses cluster roles.
 */
export function objectReaderSuite(create: () => Promise<ReaderUnderTest> | ReaderUnderTest): void {
  const resource = resources.clusterRoles;
  const follow = (reader: ObjectReader): string[] => {
    const told: string[] = [];
    reader.onChange<KubeObject>(resource, ({ next, previous }) => {
      const text = (object: KubeObject | undefined): string =>
        object === undefined
          ? '-'
          : `${object.metadata.name}:${object.metadata.labels?.['v'] ?? ''}`;
      told.push(`${text(previous)} ${text(next)}`);
    });
    return told;
  };

  it('first tells what is there, then each change once', async () => {
    const { reader, put, remove } = await create();
    await put('a', { v: '1' });
    const told = follow(reader);
    assert.deepEqual(told, ['- a:1']);
    await put('a', { v: '2' });
    await put('b', { v: '1' });
    await remove('a');
    assert.deepEqual(told, ['- a:1', 'a:1 a:2', '- b:1', 'a:2 -']);
  });

  it('shows a change before it tells it', async () => {
    const { reader, put, remove } = await create();
    const seen: (string | undefined)[] = [];
    reader.onChange(resource, () => {
      seen.push(reader.get<KubeObject>(resource, '', 'a')?.metadata.labels?.['v']);
    });
    await put('a', { v: '1' });
    await remove('a');
    assert.deepEqual(seen, ['1', undefined]);
  });

  it('tells nothing after the remover was called', async () => {
    const { reader, put } = await create();
    let count = 0;
    const remove = reader.onChange(resource, () => void count++);
    remove();
    await put('a', {});
    assert.equal(count, 0);
  });

  it('reads what is not served as empty', async () => {
    const { reader } = await create();
    const unknown = { group: 'acme.com', version: 'v1', resource: 'widgets' };
    assert.deepEqual(reader.list(unknown), []);
    assert.equal(reader.get(unknown, '', 'a'), undefined);
  });

  it('tells the differences when everything is loaded anew', async (context) => {
    const { reader, put, reload } = await create();
    if (reload === undefined) {
      context.skip('this reader never loads anew');
      return;
    }
    await put('stays', { v: '1' });
    await put('gone', { v: '1' });
    const told = follow(reader);
    told.length = 0;
    await reload({ gone: 'gone', added: 'added' });
    assert.deepEqual(told.toSorted(), ['- added:', 'gone:1 -']);
  });
}
