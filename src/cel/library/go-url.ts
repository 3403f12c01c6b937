/** URLs the way of Go's net/url, with its errors. */
import { quoteGo } from '../values/go-text.ts';

export interface GoUrl {
  readonly scheme: string;
  readonly host: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly isOpaque: boolean;
}

export class UrlProblem extends Error {}

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

const escape = /%(?![0-9a-fA-F]{2})[\s\S]{0,2}/;

function checkEscapes(text: string): void {
  const bad = escape.exec(text);
  if (bad !== null) throw new UrlProblem(`invalid URL escape ${quoteGo(bad[0])}`);
}

function splitScheme(text: string): [scheme: string, rest: string] {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (match !== null) return [(match[1] ?? '').toLowerCase(), text.slice(match[0].length)];
  if (text.startsWith(':')) throw new UrlProblem('missing protocol scheme');
  return ['', text];
}

function checkHost(host: string): void {
  if (host.startsWith('[')) {
    const close = host.lastIndexOf(']');
    if (close < 0) throw new UrlProblem("missing ']' in host");
    const port = host.slice(close + 1);
    if (!/^(?::\d*)?$/.test(port)) {
      throw new UrlProblem(`invalid port ${quoteGo(port)} after host`);
    }
    return;
  }
  const colon = host.lastIndexOf(':');
  if (colon >= 0 && !/^:\d*$/.test(host.slice(colon))) {
    throw new UrlProblem(`invalid port ${quoteGo(host.slice(colon))} after host`);
  }
  // A percent sign in a host stands for bytes beyond ASCII only.
  for (const [whole] of host.matchAll(/%[0-9a-fA-F]{0,2}/g)) {
    if (!/^%[89a-fA-F][0-9a-fA-F]$/.test(whole)) {
      throw new UrlProblem(`invalid URL escape ${quoteGo(whole)}`);
    }
  }
  const bad = /[ "<>\\^`{|}]/.exec(host);
  if (bad !== null) throw new UrlProblem(`invalid character ${quoteGo(bad[0])} in host name`);
}

function hostOf(authority: string): string {
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  checkHost(host);
  if (at < 0) return host;
  const user = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) {
    throw new UrlProblem('net/url: invalid userinfo');
  }
  checkEscapes(user);
  return host;
}

function parse(text: string, isRequest: boolean): GoUrl {
  if (hasControl(text)) throw new UrlProblem('net/url: invalid control character in URL');
  if (text === '' && isRequest) throw new UrlProblem('empty url');
  if (text === '*') return { scheme: '', host: '', rawPath: '*', rawQuery: '', isOpaque: false };
  const [scheme, afterScheme] = splitScheme(text);
  let rest = afterScheme;
  let rawQuery = '';
  const question = rest.indexOf('?');
  if (question >= 0) {
    rawQuery = rest.slice(question + 1);
    rest = rest.slice(0, question);
  }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { scheme, host: '', rawPath: '', rawQuery, isOpaque: true };
    if (isRequest) throw new UrlProblem('invalid URI for request');
    const [segment = ''] = rest.split('/');
    if (segment.includes(':')) {
      throw new UrlProblem('first path segment in URL cannot contain colon');
    }
  }
  let host = '';
  const hasAuthority =
    (scheme !== '' || (!isRequest && !rest.startsWith('///'))) && rest.startsWith('//');
  if (hasAuthority) {
    const slash = rest.indexOf('/', 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    host = hostOf(authority);
  }
  checkEscapes(rest);
  return { scheme, host, rawPath: rest, rawQuery, isOpaque: false };
}

function wrapped(text: string, body: () => GoUrl): GoUrl {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    throw new UrlProblem(`parse ${quoteGo(text)}: ${error.message}`);
  }
}

/** As url.ParseRequestURI: absolute, or an absolute path. Throws UrlProblem. */
export function parseRequestUri(text: string): GoUrl {
  return wrapped(text, () => parse(text, true));
}

/** As url.Parse: what follows `#` is cut off. */
export function parseGoUrl(text: string): GoUrl {
  const hash = text.indexOf('#');
  return wrapped(text, () => parse(hash < 0 ? text : text.slice(0, hash), false));
}

export function hostnameOf(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.lastIndexOf(']'));
  const colon = host.lastIndexOf(':');
  return colon < 0 ? host : host.slice(0, colon);
}

export function portOf(host: string): string {
  return /:(\d*)$/.exec(host.startsWith('[') ? host.slice(host.lastIndexOf(']')) : host)?.[1] ?? '';
}

/** The path as written if that is a valid escaping of it, else escaped. */
export function escapedPath({ rawPath }: GoUrl): string {
  if (/^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@[\]/]|%[0-9a-fA-F]{2})*$/.test(rawPath)) return rawPath;
  const bytes = Buffer.from(unescapeText(rawPath));
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-._~$&+,/:;=@]/.test(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function unescapeText(text: string): string {
  const bytes: Buffer[] = [];
  for (const part of text.split(/(%[0-9a-fA-F]{2})/)) {
    const isEscape = /^%[0-9a-fA-F]{2}$/.test(part);
    bytes.push(isEscape ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part));
  }
  return Buffer.concat(bytes).toString();
}

/** Values by key; parts that are not well-formed are left out, as Go does. */
export function queryOf({ rawQuery }: GoUrl): Map<string, string[]> {
  const query = new Map<string, string[]>();
  for (const part of rawQuery.split('&')) {
    if (part === '' || part.includes(';') || escape.test(part)) continue;
    const equals = part.indexOf('=');
    const texts = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    const [key = '', value = ''] = texts.map((text) => unescapeText(text.replaceAll('+', ' ')));
    query.set(key, [...(query.get(key) ?? []), value]);
  }
  return query;
}
