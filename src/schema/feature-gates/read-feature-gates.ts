import { K3tsError, messageOf } from '#base/errors.ts';
import type { FeatureGate } from './feature-gates.ts';
import { featureGates } from './feature-gates.ts';

/** Values that stand for all gates of a stage. */
const allOf: Readonly<Record<string, FeatureGate['stage']>> = {
  AllAlpha: 'ALPHA',
  AllBeta: 'BETA',
};
const booleans: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/**
 * Checks a list of `Gate=true` and `Gate=false`, as the components' `--feature-gates` takes it. What
 * says no more than the defaults is fine; everything else throws K3tsError Usage, with upstream's
 * text where upstream refuses it as well.
 */
export function checkFeatureGates(settings: readonly string[]): void {
  for (const setting of settings) {
    if (setting === '') continue;
    const [name = '', text] = setting.split(/=(.*)/s);
    if (text === undefined) throw usage(`missing bool value for ${name}`);
    const value = booleans[text];
    if (value === undefined) {
      const reason = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
      throw usage(`invalid value of ${name}: ${text}, err: ${reason}`);
    }
    const stage = allOf[name];
    if (stage === undefined) checkGate(name, value);
    else if (value !== (stage === 'BETA'))
      throw usage(`${setting}: gates cannot be turned in k3ts`);
  }
}

/** What is wrong with one setting; undefined when it may be given. */
export function featureGateProblem(setting: string): string | undefined {
  try {
    checkFeatureGates([setting]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function checkGate(name: string, value: boolean): void {
  const gate = featureGates().get(name);
  if (gate === undefined) throw usage(`unrecognized feature gate: ${name}`);
  if (value === gate.isOn) return;
  if (gate.isLocked) {
    throw usage(`cannot set feature gate ${name} to ${value}, feature is locked to ${gate.isOn}`);
  }
  throw usage(
    gate.isOn
      ? `feature gate ${name} is on and cannot be turned off in k3ts`
      : `feature gate ${name} is off and cannot be turned on: k3ts does not have the feature`,
  );
}

function usage(problem: string): K3tsError {
  return new K3tsError('Usage', problem);
}
