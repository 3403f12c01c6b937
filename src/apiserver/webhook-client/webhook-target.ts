import { isIP } from 'node:net';
import { WebhookCallError } from './call-error.ts';

/** Where a webhook is, as in the API: a URL or a Service, and the authorities of its certificate. */
export interface WebhookClientConfig {
  readonly url?: string | undefined;
  readonly service?:
    | {
        readonly namespace: string;
        readonly name: string;
        readonly path?: string | undefined;
        readonly port?: number | undefined;
      }
    | undefined;
  /** PEM in base64, as the API carries it. */
  readonly caBundle?: string | undefined;
}

/** A webhook's place in the form that a connection needs. */
export interface WebhookTarget {
  /** Equal keys may share connections. */
  readonly key: string;
  readonly isTls: boolean;
  /** Host name or address (without brackets) that is asked for and whose certificate is checked. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** The URL without a query, as errors show it. */
  readonly url: string;
  /** Set when the host is a Service that a resolver must find. */
  readonly service: { readonly namespace: string; readonly name: string } | undefined;
  /** PEM texts; absent: the authorities of the system. */
  readonly authorities: string | undefined;
}

const defaultServicePort = 443;

/** Reads a client config; throws WebhookCallError with upstream's text when it is unusable. */
export function webhookTarget(config: WebhookClientConfig): WebhookTarget {
  const { service, url, caBundle = '' } = config;
  const authorities = caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString();
  if (service !== undefined) {
    const { namespace, name, port = defaultServicePort } = service;
    const host = `${name}.${namespace}.svc`;
    const path = absolutePath(service.path);
    return {
      key: `${host}:${port} ${caBundle}`,
      isTls: true,
      host,
      port,
      path,
      url: `https://${host}:${port}${path}`,
      service: { namespace, name },
      authorities,
    };
  }
  if (url === undefined || url === '') {
    throw new WebhookCallError('webhook configuration must have either service or URL');
  }
  return { ...urlTarget(url, caBundle), authorities };
}

function absolutePath(path: string | undefined): string {
  if (path === undefined || path === '') return '/';
  return path.startsWith('/') ? path : `/${path}`;
}

function urlTarget(url: string, caBundle: string): Omit<WebhookTarget, 'authorities'> {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (error) {
    const text = `Unable to parse webhook URL: parse ${JSON.stringify(url)}: invalid URL`;
    throw new WebhookCallError(text, { cause: error });
  }
  const isTls = parsed.protocol !== 'http:';
  const port = parsed.port === '' ? (isTls ? 443 : 80) : Number(parsed.port);
  const path = `${parsed.pathname}${parsed.search}`;
  return {
    key: `${parsed.protocol}//${parsed.host} ${caBundle}`,
    isTls,
    host: bare(parsed.hostname),
    port,
    path,
    url: `${parsed.protocol}//${parsed.host}${path}`,
    service: undefined,
  };
}

/** `[::1]` is written in URLs, `::1` is dialed. */
function bare(hostname: string): string {
  const inner = hostname.replace(/^\[|\]$/g, '');
  return isIP(inner) === 6 ? inner : hostname;
}
