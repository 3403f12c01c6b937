import { checkEachFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';

export interface WebhookClient {
  readonly url?: string | undefined;
  readonly service?:
    | {
        readonly namespace?: string | undefined;
        readonly name?: string | undefined;
        readonly path?: string | undefined;
        readonly port?: number | undefined;
      }
    | undefined;
}

const formText = 'desired format: https://host[/path]';

/** Where a webhook is: a URL or a service. */
export function checkWebhookClient(
  errors: ErrorList,
  path: FieldPath,
  client: WebhookClient | undefined,
): void {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) {
    errors.required(path, '', 'exactly one of url or service is required');
    return;
  }
  if (url !== undefined) checkWebhookUrl(errors, path, url);
  if (service !== undefined) checkService(errors, path.child('service'), service);
}

function checkWebhookUrl(errors: ErrorList, path: FieldPath, text: string): void {
  const why = parseError(text);
  if (why !== undefined) {
    const quoted = JSON.stringify(text);
    const detail = `url must be a valid URL: parse ${quoted}: ${why}; ${formText}`;
    errors.required(path, 'url', detail);
    return;
  }
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/.exec(
    text,
  );
  const [, scheme = '', authority = '', , query = '', fragment = ''] = match ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  if (scheme !== 'https') {
    const detail = `'https' is the only allowed URL scheme; ${formText}`;
    errors.invalid(path, 'url', scheme, detail);
  }
  if (host === '') errors.invalid(path, 'url', host, `host must be specified; ${formText}`);
  if (at >= 0) {
    const detail = 'user information is not permitted in the URL';
    errors.invalid(path, 'url', authority.slice(0, at), detail);
  }
  if (fragment.length > 1) {
    const detail = 'fragments are not permitted in the URL';
    errors.invalid(path, 'url', fragment.slice(1), detail);
  }
  if (query.length > 1) {
    const detail = 'query parameters are not permitted in the URL';
    errors.invalid(path, 'url', query.slice(1), detail);
  }
}

/** Why Go cannot read a text as a URL. */
function parseError(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'net/url: invalid control character in URL';
  if (text.startsWith(':')) return 'missing protocol scheme';
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0];
  if (escape !== undefined) return `invalid URL escape ${JSON.stringify(escape)}`;
  const host = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
  if (host.startsWith('[') && !host.includes(']')) return "missing ']' in host";
  const port = /^(?:\[[^\]]*\]|[^:]*)(:.*)$/.exec(host)?.[1] ?? '';
  if (/^:[0-9]*$/.test(port) || port === '') return undefined;
  return `invalid port ${JSON.stringify(port)} after host`;
}

/** Upstream has the two names the wrong way round: each is reported at the other's place. */
function checkService(
  errors: ErrorList,
  path: FieldPath,
  service: NonNullable<WebhookClient['service']>,
): void {
  const { namespace = '', name = '', port = 443, path: urlPath } = service;
  if (namespace === '') errors.required(path, 'name');
  if (name === '') errors.required(path, 'namespace');
  checkServicePort(errors, path, port);
  if (urlPath === undefined || urlPath === '/') return;
  if (urlPath === '//') {
    errors.invalid(path, 'path', urlPath, 'segment[0] may not be empty');
    return;
  }
  if (!urlPath.startsWith('/')) {
    errors.invalid(path, 'path', urlPath, "must start with a '/'");
  }
  const steps = urlPath.replace(/^\//, '').replace(/\/$/, '').split('/');
  steps.forEach((step, index) => {
    if (step === '') {
      errors.invalid(path, 'path', urlPath, `segment[${index}] may not be empty`);
      return;
    }
    for (const detail of dns1123SubdomainErrors(step)) {
      errors.invalid(path, 'path', urlPath, `segment[${index}]: ${detail}`);
    }
  });
}

export function checkServicePort(errors: ErrorList, path: FieldPath, port: number): void {
  if (port >= 1 && port <= 65535) return;
  const detail = 'port is not valid: must be between 1 and 65535, inclusive';
  errors.invalid(path, 'port', port, detail);
}

/** Versions of the review objects that a webhook reads. */
export function checkReviewVersions(
  errors: ErrorList,
  path: FieldPath,
  versions: readonly string[],
  missingText: string,
): void {
  if (versions.length === 0) {
    errors.required(path, '', missingText);
    return;
  }
  const seen = new Set<string>();
  versions.forEach((version, index) => {
    if (seen.has(version)) errors.invalid(path, index, version, 'duplicate version');
    seen.add(version);
  });
  checkEachFormat(errors, path, versions, dns1035LabelErrors);
  if (seen.has('v1') || seen.has('v1beta1')) return;
  errors.invalid(path, '', versions, 'must include at least one of v1, v1beta1');
}
