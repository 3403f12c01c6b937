import type { OutgoingHeaders } from '../http/exchange.ts';
import type { RequestContext } from '../request.ts';

/** Runes of warnings after which texts are cut, and how far. */
const warningBudget = 4096;
const cutWarning = 256;

/** Headers that every answer of the API carries. */
export function answerHeaders(context: RequestContext, contentType: string): OutgoingHeaders {
  const headers: OutgoingHeaders = {
    'Audit-Id': context.auditId,
    'Cache-Control': 'no-cache, private',
    'Content-Type': contentType,
  };
  const extra = context.trail?.headers;
  if (extra !== undefined) Object.assign(headers, extra);
  const warnings = warningHeaders(context.warnings);
  if (warnings.length > 0) headers['Warning'] = warnings;
  return headers;
}

function warningHeaders(texts: ReadonlySet<string>): string[] {
  if (texts.size === 0) return [];
  const lines: string[] = [];
  let used = 0;
  for (const text of texts) {
    // oxlint-disable-next-line no-control-regex
    if (/[\x00-\x1f\x7f]/.test(text)) continue;
    const rest = used + text.length > warningBudget ? text.slice(0, cutWarning) : text;
    if (used + rest.length > warningBudget) continue;
    used += rest.length;
    // headers carry bytes: UTF-8 goes out as it is, as from Go
    const bytes = Buffer.from(rest.replace(/[\\"]/g, '\\$&')).toString('latin1');
    lines.push(`299 - "${bytes}"`);
  }
  return lines;
}
