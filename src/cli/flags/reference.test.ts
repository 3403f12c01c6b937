import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { renderFlagsReference } from './reference.ts';

test('docs/reference/flags.md is what the flags say', () => {
  const path = join(import.meta.dirname, '../../../docs/reference/flags.md');
  assert.equal(readFileSync(path, 'utf8'), renderFlagsReference(), 'run npm run generate:docs');
});
