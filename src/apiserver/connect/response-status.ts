import { ApiStatusError } from '#base/api-status-error.ts';
import { badRequest, internalError } from '../api-errors.ts';

const byCode: Readonly<Record<number, readonly [reason: string, text: string]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  429: [
    'TooManyRequests',
    'the server has received too many requests and has asked us to try again later',
  ],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request',
  ],
};

/** What another server's refusal is for our client: same code, the generic texts of clients. */
export function serverResponse(
  code: number,
  body: string,
  of: { resource: string; name: string },
): ApiStatusError {
  if (code === 500) return internalError(body);
  if (code === 400) return badRequest(body);
  const [reason, text] = byCode[code] ?? [
    code >= 500 ? 'InternalError' : '',
    `the server responded with the status code ${code} but did not return more information`,
  ];
  // 403 carries what the server said: it is about who may do what.
  const isForbidden = code === 403;
  return new ApiStatusError({
    httpCode: code,
    reason: isForbidden ? 'Forbidden' : reason,
    message: `${isForbidden ? body : text} ( ${of.resource} ${of.name})`,
    details: { name: of.name, kind: of.resource },
  });
}
