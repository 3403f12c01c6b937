import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { checkFeatureGates, featureGates, renderFeatureGates } from './mod.ts';

describe('feature gates', () => {
  it('are those of 1.36, each once', () => {
    const gates = [...featureGates().values()];
    assert.equal(gates.length, 232);
    assert.deepEqual(featureGates().get('SidecarContainers'), {
      name: 'SidecarContainers',
      stage: 'GA',
      isOn: true,
      isLocked: true,
      notBuilt: undefined,
      isInternal: false,
    });
    assert.equal(featureGates().get('MaxUnavailableStatefulSet')?.isOn, false);
  });

  it('may be given as they are', () => {
    checkFeatureGates(['SidecarContainers=true', 'GangScheduling=false', 'AllAlpha=false', '']);
    checkFeatureGates(['AllBeta=true']);
  });

  for (const [setting, message] of [
    ['Nope=true', 'unrecognized feature gate: Nope'],
    ['SidecarContainers', 'missing bool value for SidecarContainers'],
    [
      'SidecarContainers=maybe',
      'invalid value of SidecarContainers: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      'SidecarContainers=false',
      'cannot set feature gate SidecarContainers to false, feature is locked to true',
    ],
    [
      'PodDeletionCost=false',
      'feature gate PodDeletionCost is on and cannot be turned off in k3ts',
    ],
    [
      'GangScheduling=true',
      'feature gate GangScheduling is off and cannot be turned on: k3ts does not have the feature',
    ],
    ['AllAlpha=true', 'AllAlpha=true: gates cannot be turned in k3ts'],
  ] as const) {
    it(`${setting} is refused`, () => {
      assert.throws(() => checkFeatureGates([setting]), { code: 'Usage', message });
    });
  }

  it('the page is current', () => {
    const root = join(import.meta.dirname, '..', '..', '..');
    const page = readFileSync(join(root, 'docs', 'reference', 'feature-gates.md'), 'utf8');
    assert.equal(page, renderFeatureGates());
  });
});
