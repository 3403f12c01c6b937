import type { OutgoingHeaders } from '../http/exchange.ts';
import type { RequestContext } from '../request.ts';
import { warningHeaders } from './warning-headers.ts';

/** Headers that every answer of the API carries. */
export function answerHeaders(context: RequestContext, contentType: string): OutgoingHeaders {
  const headers: OutgoingHeaders = {
    'Audit-Id': context.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentType,
  };
  const extra = context.trail?.headers;
  if (extra !== undefined) Object.assign(headers, extra);
  if (context.warnings.size > 0) {
    const warnings = warningHeaders(context.warnings);
    if (warnings.length > 0) headers['Warning'] = warnings;
  }
  return headers;
}
