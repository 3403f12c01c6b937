import type { Credentials } from './authenticator.ts';

/** The first value of a header; empty when it is absent. `name` is in lower case. */
export function headerOf(credentials: Credentials, name: string): string {
  const value = credentials.headers[name];
  if (value === undefined) return '';
  return Array.isArray(value) ? (value[0] ?? '') : value;
}

/**
 * Every value of a header that may be repeated. Node joins repeated headers with a comma and a
 * blank unless it is asked for them one by one, so a joined text is split again.
 */
export function headerValues(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  const values = Array.isArray(value) ? value : value.split(', ');
  return values.filter((entry) => entry !== '');
}

/** `key -> values` of all headers that start with `prefix`; keys are percent-decoded. */
export function headersWithPrefix(
  headers: Credentials['headers'],
  prefix: string,
): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(prefix) || name.length === prefix.length) continue;
    found[decodeKey(name.slice(prefix.length)).toLowerCase()] = headerValues(value);
  }
  return found;
}

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Same as upstream: a key that is no valid escape is taken as it is.
    return text;
  }
}

/**
 * The bearer token, also from the sub-protocol that browsers use for WebSockets
 * (`base64url.bearer.authorization.k8s.io.<token>`); undefined when there is none.
 */
export function bearerToken(credentials: Credentials): string | undefined {
  const authorization = headerOf(credentials, 'authorization').trim();
  const match = /^bearer +(\S+)$/i.exec(authorization);
  if (match !== null) return match[1];
  const prefix = 'base64url.bearer.authorization.k8s.io.';
  for (const offered of headerOf(credentials, 'sec-websocket-protocol').split(',')) {
    const protocol = offered.trim();
    if (!protocol.startsWith(prefix)) continue;
    return Buffer.from(protocol.slice(prefix.length), 'base64url').toString('utf8');
  }
  return undefined;
}
