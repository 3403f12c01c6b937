import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, describe, it } from 'node:test';

import { readControllerManagerArgs, readSchedulerArgs } from '../component-args/mod.ts';
import { readControllerSettings } from './controller-settings.ts';
import { readSchedulingSettings } from './scheduling-settings.ts';

describe('settings of the components', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'k3ts-components-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const controllersOf = (...texts: string[]) =>
    readControllerSettings(readControllerManagerArgs(texts));

  it('controllers are turned on and off by their present and former names', async () => {
    const { enabled, disabled } = await controllersOf('controllers=*,-ttl,bootstrapsigner');
    assert.deepEqual(enabled, ['bootstrap-signer-controller']);
    assert.deepEqual(disabled, ['ttl-controller']);
  });

  it('without * only the named controllers run', async () => {
    const { disabled } = await controllersOf('controllers=deployment-controller');
    assert.ok(disabled.includes('job-controller'));
    assert.ok(!disabled.includes('deployment-controller'));
  });

  it('a controller that nobody knows ends the start', async () => {
    await assert.rejects(controllersOf('controllers=*,nope'), {
      code: 'Usage',
      message: '"nope" is not in the list of known controllers',
    });
  });

  it('the signing authority is read from its files, which come as a pair', async () => {
    const certificate = await file('ca.crt', '-----BEGIN CERTIFICATE-----\n');
    const key = await file('ca.key', '-----BEGIN EC PRIVATE KEY-----\n');
    const { options } = await controllersOf(
      `cluster-signing-cert-file=${certificate}`,
      `cluster-signing-key-file=${key}`,
      'cluster-signing-duration=1h',
    );
    assert.equal(options.signers?.client.certificatePem, '-----BEGIN CERTIFICATE-----\n');
    assert.equal(options.signingDurationMs, 3_600_000);
    await assert.rejects(controllersOf(`cluster-signing-cert-file=${certificate}`), {
      message: /must be given together/,
    });
  });

  it('times and rates of the autoscaler, of silent nodes, quotas and tokens reach the controllers', async () => {
    const { options } = await controllersOf(
      'horizontal-pod-autoscaler-sync-period=5s',
      'horizontal-pod-autoscaler-tolerance=0.2',
      'horizontal-pod-autoscaler-downscale-stabilization=90s',
      'node-monitor-period=2s',
      'node-startup-grace-period=2m',
      'node-eviction-rate=1.5',
      'unhealthy-zone-threshold=0.8',
      'resource-quota-sync-period=1m',
      'disable-force-detach-on-timeout',
      'legacy-service-account-token-clean-up-period=48h',
    );
    assert.deepEqual(options.autoscaling, {
      syncPeriodMs: 5000,
      tolerance: 0.2,
      downWindowMs: 90_000,
      cpuInitializationMs: 300_000,
      initialReadinessMs: 30_000,
    });
    assert.deepEqual([options.nodeMonitorMs, options.nodeStartupGraceMs], [2000, 120_000]);
    assert.deepEqual(options.eviction, {
      perSecond: 1.5,
      slowPerSecond: 0.01,
      unhealthyShare: 0.8,
      largeZoneNodes: 50,
    });
    assert.equal(options.quotaResyncMs, 60_000);
    assert.equal(options.forcesDetach, false);
    assert.equal(options.legacyTokenUnusedMs, 2 * 86_400_000);
    await assert.rejects(async () => controllersOf('node-monitor-period=0s'), {
      message: '--node-monitor-period: must be greater than zero',
    });
  });

  it('the scheduler’s configuration is read, and its mistakes told with the file’s name', async () => {
    const good = await file(
      'good.yaml',
      'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n' +
        'percentageOfNodesToScore: 40\n',
    );
    const { configuration } = await readSchedulingSettings(
      readSchedulerArgs([`config=${good}`]),
      [],
    );
    assert.equal(configuration?.percentageOfNodesToScore, 40);
    const bad = await file('bad.yaml', 'apiVersion: v1\nkind: Pod\n');
    await assert.rejects(readSchedulingSettings(readSchedulerArgs([`config=${bad}`]), []), {
      code: 'Usage',
      message: new RegExp(`^--kube-scheduler-arg config=${bad}: KubeSchedulerConfiguration of`),
    });
  });

  it('a plugin of the user is loaded and serves every profile that does not name it', async () => {
    const plugin = await file(
      'plugin.ts',
      `export default { name: 'Quiet', weight: 3, create: () => ({ name: 'Quiet', score: () => 1 }) };`,
    );
    const { configuration, plugins } = await readSchedulingSettings(readSchedulerArgs(), [plugin]);
    assert.deepEqual(Object.keys(plugins ?? {}), ['Quiet']);
    assert.deepEqual(configuration?.profiles[0]?.plugins.multiPoint?.enabled, [
      { name: 'Quiet', weight: 3 },
    ]);
    const broken = await file('broken.ts', 'export default 7;');
    await assert.rejects(readSchedulingSettings(readSchedulerArgs(), [broken]), {
      code: 'Usage',
      message: /the default export must be an object with name and create\(\)$/,
    });
  });
});
