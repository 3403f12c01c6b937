import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { matchRequest } from './match-resources.ts';
import type { MatchContext } from './match-resources.ts';
import { checkParamKind, collectParams } from './params.ts';
import type { ParamContext } from './params.ts';
import { ConfigurationError } from './policy-kinds.ts';
import type { PolicyBinding, PolicySpec } from './policy-kinds.ts';
import type { PolicyHook } from './policy-source.ts';

/** A policy is to be evaluated for one binding and one of its parameters. */
export interface Invocation {
  readonly binding: PolicyBinding;
  /** The resource in the version that the rules name. */
  readonly resource: ResourceInfo;
  readonly param: UnknownObject | null;
}

/** A policy or one of its bindings cannot be used for this request. */
export interface Fault {
  readonly binding: string | undefined;
  readonly message: string;
}

/**
 * What a policy is to be evaluated for, binding by binding, and what is wrong with it or them, in
 * this order. Nothing when it does not concern the request.
 */
export async function* invocationsOf<S extends PolicySpec, E>(
  hook: PolicyHook<S, E>,
  { attributes, view }: { attributes: AdmissionAttributes; view: AdmissionRequestView },
  context: MatchContext & ParamContext,
): AsyncGenerator<Invocation | Fault> {
  const { paramKind } = hook.policy.spec ?? {};
  let resource: ResourceInfo | undefined;
  try {
    resource = await matchRequest(hook.match, attributes, view, context);
    if (resource === undefined) return;
    checkParamKind(paramKind, context);
  } catch (error) {
    yield faultOf(error, undefined);
    return;
  }
  for (const { binding, match } of hook.bindings) {
    try {
      const isBound =
        match === undefined || (await matchRequest(match, attributes, view, context)) !== undefined;
      if (!isBound) continue;
      const { paramRef } = binding.spec ?? {};
      const params = await collectParams(paramKind, paramRef, view.namespace, context);
      for (const param of params) yield { binding, resource, param };
    } catch (error) {
      yield faultOf(error, binding.metadata.name);
    }
  }
}

/** Throws what is no fault of the configuration. */
function faultOf(error: unknown, binding: string | undefined): Fault {
  if (!(error instanceof ConfigurationError)) throw error;
  const what = binding === undefined ? 'policy' : 'binding';
  return { binding, message: `failed to configure ${what}: ${error.message}` };
}
