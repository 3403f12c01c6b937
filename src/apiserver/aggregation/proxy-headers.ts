import type { IncomingHttpHeaders } from 'node:http';
import { isCredential } from '../connect/backend-headers.ts';
import { hopTest } from '../connect/hop-headers.ts';
import type { UserInfo } from '../request.ts';

/** Who asks, for a server that trusts this one: X-Remote-User, -Uid, -Group, -Extra-<key>. */
export function identityHeaders(user: UserInfo): [string, string][] {
  const headers: [string, string][] = [['X-Remote-User', wireText(user.name)]];
  if (user.uid !== undefined && user.uid !== '') {
    headers.push(['X-Remote-Uid', wireText(user.uid)]);
  }
  for (const group of user.groups) headers.push(['X-Remote-Group', wireText(group)]);
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    for (const value of values) {
      headers.push([`X-Remote-Extra-${escapeKey(key)}`, wireText(value)]);
    }
  }
  return headers;
}

/** UTF-8 as the bytes of a header. */
function wireText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Percent escapes for everything that a header name cannot hold, and for the percent sign. */
function escapeKey(key: string): string {
  return Buffer.from(key)
    .toString('latin1')
    .replace(
      /[^!#$&'*+\-.^_`|~0-9A-Za-z]/g,
      (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}

/** The headers of a request on its way to an extension server. */
export function forwardedHeaders(of: {
  headers: IncomingHttpHeaders;
  user: UserInfo;
  host: string;
  remoteAddress: string;
  path: string;
  /** Of the body, when it was gathered. */
  bodyBytes: number | undefined;
}): Record<string, string | string[]> {
  const isHop = hopTest(of.headers.connection);
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(of.headers)) {
    if (value === undefined || name.startsWith(':') || isHop(name) || isCredential(name)) continue;
    if (name === 'host' || name === 'content-length') continue;
    found[name] = value;
  }
  const before = of.headers['x-forwarded-for'];
  const chain = [...(before === undefined ? [] : [before].flat()), of.remoteAddress];
  const authority = of.headers[':authority'] ?? of.headers.host;
  found['host'] = of.host;
  found['x-forwarded-for'] = chain.filter((address) => address !== '').join(', ');
  found['x-forwarded-uri'] = of.path;
  if (typeof authority === 'string') found['x-forwarded-host'] = authority;
  found['x-forwarded-proto'] = 'https';
  if (of.bodyBytes !== undefined) found['content-length'] = String(of.bodyBytes);
  for (const [name, value] of identityHeaders(of.user)) {
    const key = name.toLowerCase();
    const known = found[key];
    found[key] = known === undefined ? value : [...[known].flat(), value];
  }
  return found;
}
