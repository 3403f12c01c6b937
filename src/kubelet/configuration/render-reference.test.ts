import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderKubeletReference } from './mod.ts';

test('docs/reference/kubelet.md is what the tables say', async () => {
  const page = join(import.meta.dirname, '../../../docs/reference/kubelet.md');
  assert.equal(await readFile(page, 'utf8'), renderKubeletReference(), 'run npm run generate:docs');
});
