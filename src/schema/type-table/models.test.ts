import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../../..');
const models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const generated = join(root, 'src/schema/generated');

interface TypeTable {
  types: Record<string, Record<string, unknown>>;
}

/** V1Pod and CoreV1Event stand for types of the table; the first name that exists counts. */
function modelOf(typeName: string): string | undefined {
  const [group = '', version = '', kind = ''] = typeName.split('.').slice(-3);
  const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  const names = [`${upper(group)}${upper(version)}${kind}`, `${upper(version)}${kind}`];
  return names.map((name) => join(models, `${name}.js`)).find(existsSync);
}

test('the type table has the fields of the models', () => {
  const table = JSON.parse(readFileSync(join(generated, 'type-table.json'), 'utf8')) as TypeTable;
  let checked = 0;
  for (const [typeName, entry] of Object.entries(table.types)) {
    const model = modelOf(typeName);
    if (model === undefined) continue;
    const names = [...readFileSync(model, 'utf8').matchAll(/"baseName": "([^"]+)"/g)];
    const own = Object.keys(entry).filter((name) => name !== '');
    assert.deepEqual(
      own,
      names.map((match) => match[1]),
      typeName,
    );
    checked++;
  }
  assert.ok(checked > 550);
});
