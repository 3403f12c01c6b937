import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { renderArgsReference } from './render-reference.ts';

test('docs/reference/kube-apiserver-args.md is what the table says', () => {
  const path = join(import.meta.dirname, '../../../docs/reference/kube-apiserver-args.md');
  assert.equal(readFileSync(path, 'utf8'), renderArgsReference(), 'run scripts/generate/docs.ts');
});
