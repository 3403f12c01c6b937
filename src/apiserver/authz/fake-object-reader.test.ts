import { describe } from 'node:test';

import { resources } from '#client/mod.ts';

import { FakeObjectReader } from './fake-object-reader.ts';
import { objectReaderSuite } from './object-reader-suite.ts';

describe('FakeObjectReader', () => {
  objectReaderSuite(() => {
    const reader = new FakeObjectReader();
    return {
      reader,
      put: (name, labels) => reader.put(resources.clusterRoles, { metadata: { name, labels } }),
      remove: (name) => reader.remove(resources.clusterRoles, '', name),
    };
  });
});
