import { ApiStatusError } from '#base/api-status-error.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { refuse } from '../match.ts';

const codes: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

/** `<resource> "<name>" is forbidden: <text>` with the code and reason that a policy asks for. */
export function policyDenial(
  attributes: AdmissionAttributes,
  text: string,
  reason: string,
): ApiStatusError {
  const { message, details } = refuse(attributes, text);
  return new ApiStatusError({
    httpCode: codes[reason] ?? 422,
    reason,
    message,
    details: { ...details, causes: [{ message: text }] },
  });
}
