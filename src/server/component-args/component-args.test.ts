import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { controllerManagerArgTable, readControllerManagerArgs } from './controller-args.ts';
import { renderArgsPage } from './render-page.ts';
import { readSchedulerArgs, schedulerArgTable } from './scheduler-args.ts';

test('arguments of scheduler and controllers have upstream’s defaults and take values', () => {
  assert.equal(
    readSchedulerArgs().durationMs('pod-max-in-unschedulable-pods-duration'),
    5 * 60_000,
  );
  const args = readControllerManagerArgs([
    'node-monitor-grace-period=16s',
    '--controllers=*,-ttl',
    'concurrent-gc-syncs=50',
  ]);
  assert.equal(args.durationMs('node-monitor-grace-period'), 16_000);
  assert.deepEqual(args.list('controllers'), ['*', '-ttl']);
  assert.deepEqual(args.ignored, ['concurrent-gc-syncs']);
});

const refusals: readonly [read: (texts: string[]) => unknown, text: string, expected: RegExp][] = [
  [readSchedulerArgs, 'no-such=1', /^unknown flag: --no-such$/],
  [readSchedulerArgs, 'write-config-to=/x', /^--kube-scheduler-arg write-config-to has no effect/],
  [
    readControllerManagerArgs,
    'cluster-cidr=10.0.0.0/8',
    /^--kube-controller-manager-arg cluster-cidr has no effect here: use --cluster-cidr of k3ts$/,
  ],
  [
    readControllerManagerArgs,
    'node-monitor-grace-period=soon',
    /^invalid argument "soon" for "--node-monitor-grace-period" flag: time: invalid duration "soon"$/,
  ],
  [readControllerManagerArgs, 'max-endpoints-per-slice=7', /^--max-endpoints-per-slice: must be/],
];

for (const [read, text, expected] of refusals) {
  test(`${text} ends the start with a clear message`, () => {
    assert.throws(() => read([text]), { code: 'Usage', message: expected });
  });
}

for (const [component, table] of [
  ['kube-scheduler', schedulerArgTable],
  ['kube-controller-manager', controllerManagerArgTable],
] as const) {
  test(`docs/reference/${component}-args.md is what the table says`, () => {
    const path = join(import.meta.dirname, `../../../docs/reference/${component}-args.md`);
    const page = renderArgsPage(component, 'src/server/component-args', table);
    assert.equal(readFileSync(path, 'utf8'), page, 'run scripts/generate/docs.ts');
  });
}
