import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { Decisions } from './decisions.ts';

/** `authorizer` and `authorizer.requestResource`, both for the user of the request. */
export function authorizerVariables(
  _decisions: Decisions,
  _attributes: AdmissionAttributes,
  _view: AdmissionRequestView,
): Readonly<Record<string, unknown>> {
  return {};
}
