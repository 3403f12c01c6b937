import type { UnknownObject } from '#schema/mod.ts';
import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { forbidden } from '../../api-errors.ts';
import { oldObjectOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import { matchesNamespace, matchesObject } from '../matching/selectors.ts';
import type { ConditionOwner } from '../expressions/condition-metrics.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { WebhookCaller, WebhookPluginOptions } from './call-webhook.ts';
import type { HookCandidate } from './hook-source.ts';

/** Both states in the version that a webhook wants. */
export interface HookStates {
  readonly object: UnknownObject | undefined;
  readonly oldObject: UnknownObject | undefined;
}

/**
 * Whether a webhook whose rules fit is to be called: its selectors and conditions. Gives the states
 * to show it, or undefined. Throws NotFound for a namespace that is not there, Forbidden for a
 * condition that cannot be evaluated where failurePolicy is Fail.
 */
export async function selectHook(
  candidate: HookCandidate,
  request: {
    attributes: AdmissionAttributes;
    view: AdmissionRequestView;
    object: UnknownObject | undefined;
    caller: WebhookCaller;
    type: ConditionOwner['type'];
  },
  options: WebhookPluginOptions,
): Promise<HookStates | undefined> {
  const { hook, resource } = candidate;
  const { attributes, view, caller } = request;
  const { selectors, conditions } = hook;
  if (!matchesObject(selectors.object, attributes)) return undefined;
  if (selectors.namespace !== undefined) {
    if (!(await matchesNamespace(selectors.namespace, attributes, options.reader)))
      return undefined;
  }
  const states = {
    object: await caller.inVersion(request.object, resource),
    oldObject: await caller.inVersion(oldObjectOf(attributes), resource),
  };
  if (conditions.length === 0) return states;
  try {
    const isMet = await options.conditions.check({
      conditions,
      owner: { name: hook.name, type: request.type },
      isFailOpen: hook.isFailOpen,
      attributes,
      view,
      resource,
      ...states,
    });
    return isMet ? states : undefined;
  } catch (error) {
    if (hasReason(error, 'InternalError')) throw error;
    throw forbidden(view.resource, view.name, messageOf(error));
  }
}
