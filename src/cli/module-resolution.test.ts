import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ownModuleUrl } from './module-resolution.ts';

test('own imports are resolved by their text, all others are left to Node', () => {
  const root = 'file:///opt/k3ts/src/';
  const parent = 'file:///opt/k3ts/src/server/mod.ts';
  const cases = [
    ['./paths.ts', parent, 'file:///opt/k3ts/src/server/paths.ts'],
    ['../cli/main.ts', parent, 'file:///opt/k3ts/src/cli/main.ts'],
    ['#schema/patch/mod.ts', parent, 'file:///opt/k3ts/src/schema/patch/mod.ts'],
    ['yaml', parent, undefined],
    ['node:fs', parent, undefined],
    ['./data.json', parent, undefined],
    ['/etc/plugin.ts', parent, undefined],
    ['./plugin.ts', 'file:///etc/plugins/mine.ts', undefined],
    ['#schema/mod.ts', 'file:///etc/plugins/mine.ts', undefined],
    ['./main.ts', undefined, undefined],
  ] as const;
  for (const [specifier, from, url] of cases) {
    assert.equal(
      ownModuleUrl(root, specifier, from),
      url,
      `${specifier} from ${from ?? 'nothing'}`,
    );
  }
});
