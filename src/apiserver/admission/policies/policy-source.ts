import type { ObjectReader } from '../../authz/object-reader.ts';
import { CandidateCache } from '../matching/candidate-cache.ts';
import type { EquivalentResources } from '../matching/equivalents.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { compileMatch, ruledResource } from './match-resources.ts';
import type { CompiledMatch } from './match-resources.ts';
import type { Policy, PolicyBinding, PolicyKind, PolicySpec } from './policy-kinds.ts';

/** A binding with its own matching compiled. */
export interface BoundPolicy {
  readonly binding: PolicyBinding;
  /** Absent: the binding takes every request of the policy. */
  readonly match: CompiledMatch | undefined;
}

/** A policy with everything that is bound to it, both by name. */
export interface PolicyHook<S extends PolicySpec, C> {
  readonly policy: Policy<S>;
  readonly match: CompiledMatch;
  readonly bindings: readonly BoundPolicy[];
  /** Made at first use and kept as long as the policy is what it is. */
  readonly compiled: () => C;
}

/** Policies of one sort and their bindings, following the cache. */
export class PolicySource<S extends PolicySpec, C> {
  readonly #equivalents: EquivalentResources;
  readonly #policies = new Map<string, Omit<PolicyHook<S, C>, 'bindings'>>();
  readonly #bindings = new Map<string, BoundPolicy>();
  #hooks: readonly PolicyHook<S, C>[] | undefined;
  readonly #candidates = new CandidateCache<PolicyHook<S, C>>();

  constructor(options: {
    reader: ObjectReader;
    equivalents: EquivalentResources;
    kind: PolicyKind;
    compile: (policy: Policy<S>) => C;
  }) {
    const { reader, equivalents, kind, compile } = options;
    this.#equivalents = equivalents;
    equivalents.onChange(() => this.#candidates.clear());
    reader.onChange<Policy<S>>(kind.policies, ({ next, previous }) => {
      const name = (next ?? previous)?.metadata.name ?? '';
      if (next === undefined) this.#policies.delete(name);
      else if (!isSameSpec(this.#policies.get(name)?.policy, next)) {
        this.#policies.set(name, followedPolicy(next, compile));
      } else return;
      this.#forget();
    });
    reader.onChange<PolicyBinding>(kind.bindings, ({ next, previous }) => {
      const name = (next ?? previous)?.metadata.name ?? '';
      if (next === undefined) this.#bindings.delete(name);
      else {
        const resources = next.spec?.matchResources;
        const match = resources === undefined ? undefined : compileMatch(resources);
        this.#bindings.set(name, { binding: next, match });
      }
      this.#forget();
    });
  }

  /** The bound policies whose rules fit such requests; nearly free when there are none. */
  candidates(attributes: AdmissionAttributes): readonly PolicyHook<S, C>[] {
    if (this.#bindings.size === 0 || this.#policies.size === 0) return [];
    return this.#candidates.get(attributes, () =>
      this.#all().filter((hook) => this.#isAbout(hook, attributes)),
    );
  }

  #forget(): void {
    this.#hooks = undefined;
    this.#candidates.clear();
  }

  #isAbout({ match }: PolicyHook<S, C>, attributes: AdmissionAttributes): boolean {
    const { resourceRules = [], matchPolicy } = match.resources;
    if (resourceRules.length === 0) return true;
    const found = ruledResource(
      resourceRules,
      matchPolicy,
      attributes,
      undefined,
      this.#equivalents,
    );
    return found !== undefined;
  }

  #all(): readonly PolicyHook<S, C>[] {
    if (this.#hooks !== undefined) return this.#hooks;
    const bindings = [...this.#bindings].sort(byName).map(([, bound]) => bound);
    this.#hooks = [...this.#policies]
      .sort(byName)
      .map(([name, policy]) => ({
        ...policy,
        bindings: bindings.filter(({ binding }) => binding.spec?.policyName === name),
      }))
      .filter((hook) => hook.bindings.length > 0);
    return this.#hooks;
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** A write of the status, or of metadata, changes nothing here. */
function isSameSpec(known: Policy<PolicySpec> | undefined, next: Policy<PolicySpec>): boolean {
  return (
    known !== undefined &&
    known.metadata.uid === next.metadata.uid &&
    known.metadata.generation !== undefined &&
    known.metadata.generation === next.metadata.generation
  );
}

function followedPolicy<S extends PolicySpec, C>(
  policy: Policy<S>,
  compile: (policy: Policy<S>) => C,
): Omit<PolicyHook<S, C>, 'bindings'> {
  let compiled: C | undefined;
  return {
    policy,
    match: compileMatch(policy.spec?.matchConstraints ?? {}),
    compiled: () => (compiled ??= compile(policy)),
  };
}
