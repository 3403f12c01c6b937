import { WebhookCallError } from './call-error.ts';

/** What Kubernetes' client says to an answer that is no success and explains nothing itself. */
const texts: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** Codes for which the server's own words are used when it has some. */
const ownWords: Readonly<Record<number, string>> = {
  403: 'unknown',
  406: 'the server was unable to respond with a content type that the client supports',
  415: 'the server was unable to respond with a content type that the client supports',
};

/** The error for an answer without success: a Status speaks for itself, else the code does. */
export function answerError(
  statusCode: number,
  contentType: string | undefined,
  body: string,
): WebhookCallError {
  const init = { statusCode, body };
  const said = statusMessage(body);
  if (said !== undefined) return new WebhookCallError(said, init);
  const isText = contentType === undefined || contentType.startsWith('text/');
  const words = isText && body.trim() !== '' ? body.trim() : 'unknown';
  return new WebhookCallError(textOf(statusCode, words), init);
}

function textOf(statusCode: number, words: string): string {
  const own = ownWords[statusCode];
  if (own !== undefined) return words === 'unknown' ? own : words;
  const known = texts[statusCode];
  if (known !== undefined) return known;
  if (statusCode >= 500) {
    return `an error on the server (${JSON.stringify(words)}) has prevented the request from succeeding`;
  }
  return `the server responded with the status code ${statusCode} but did not return more information`;
}

function statusMessage(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as { kind?: unknown; message?: unknown } | null;
    if (value?.kind === 'Status' && typeof value.message === 'string') return value.message;
  } catch {
    // Anything may answer at a wrong address; what is no Status is judged by its code.
  }
  return undefined;
}
