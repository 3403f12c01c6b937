import { gateNames } from './gate-names.ts';
import { isInternal, notBuilt } from './not-built.ts';

export type GateStage = 'ALPHA' | 'BETA' | 'GA' | 'DEPRECATED';

/** A feature gate of Kubernetes 1.36. k3ts has the defaults; gates cannot be turned. */
export interface FeatureGate {
  readonly name: string;
  readonly stage: GateStage;
  readonly isOn: boolean;
  /** Upstream lets nobody turn it either. */
  readonly isLocked: boolean;
  /** Why a feature that is on upstream does nothing here; undefined when it does. */
  readonly notBuilt: string | undefined;
  /** It chooses how upstream's own code works, not what users see. */
  readonly isInternal: boolean;
}

const stages: readonly [keyof typeof gateNames, GateStage, isOn: boolean, isLocked: boolean][] = [
  ['locked', 'GA', true, true],
  ['ga', 'GA', true, false],
  ['betaOn', 'BETA', true, false],
  ['betaOff', 'BETA', false, false],
  ['alphaOff', 'ALPHA', false, false],
  ['deprecatedOn', 'DEPRECATED', true, false],
  ['deprecatedOff', 'DEPRECATED', false, false],
];

let gates: ReadonlyMap<string, FeatureGate> | undefined;

/** All gates by name, sorted by name. */
export function featureGates(): ReadonlyMap<string, FeatureGate> {
  gates ??= new Map(
    stages
      .flatMap(([key, stage, isOn, isLocked]) =>
        gateNames[key]
          .trim()
          .split(/\s+/)
          .map((name) => ({
            name,
            stage,
            isOn,
            isLocked,
            notBuilt: notBuilt(name),
            isInternal: isInternal(name),
          })),
      )
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((gate) => [gate.name, gate]),
  );
  return gates;
}
