/** Kubernetes' URLs. */
import { messageOf } from '#base/errors.ts';
import {
  globalOverload,
  type Library,
  memberOverload,
  type Overload,
} from '../check/declaration.ts';
import { boolType, listOf, mapOf, stringType, structType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { CelList } from '../values/list.ts';
import { ComputedMap } from '../values/map.ts';
import { CelAbstract, type CelValue } from '../values/value.ts';
import {
  escapedPath,
  type GoUrl,
  hostnameOf,
  parseGoUrl,
  parseRequestUri,
  portOf,
  queryOf,
} from './go-url.ts';

const urlType = structType('kubernetes.URL');

export class UrlValue extends CelAbstract {
  readonly typeName = 'kubernetes.URL';
  readonly text: string;
  readonly url: GoUrl;

  constructor(text: string) {
    super();
    this.text = text;
    this.url = parseGoUrl(text);
  }

  equals(other: CelAbstract): boolean {
    return (other as UrlValue).text === this.text;
  }

  toJson(): string {
    return this.text;
  }
}

function parse(text: string): UrlValue {
  try {
    parseRequestUri(text);
    return new UrlValue(text);
  } catch (cause) {
    const message = `URL parse error during conversion from string: ${messageOf(cause)}`;
    throw new CelRuntimeError(message, { cause });
  }
}

function isUrl(text: string): boolean {
  try {
    parseRequestUri(text);
    return true;
  } catch {
    return false;
  }
}

function part(id: string, read: (url: GoUrl) => string): Overload[] {
  return [memberOverload(id, [urlType], stringType, ({ url }: UrlValue) => read(url))];
}

export const urlLibrary: Library = {
  url: [globalOverload('string_to_url', [stringType], urlType, parse)],
  isURL: [globalOverload('is_url_string', [stringType], boolType, isUrl)],
  getScheme: part('url_get_scheme', (url) => url.scheme),
  getHost: part('url_get_host', (url) => url.host),
  getHostname: part('url_get_hostname', (url) => hostnameOf(url.host)),
  getPort: part('url_get_port', (url) => portOf(url.host)),
  getEscapedPath: part('url_get_escaped_path', escapedPath),
  getQuery: [
    memberOverload(
      'url_get_query',
      [urlType],
      mapOf(stringType, listOf(stringType)),
      ({ url }: UrlValue) =>
        ComputedMap.of(
          Array.from(queryOf(url), ([key, values]): [CelValue, CelValue] => [
            key,
            new CelList(values),
          ]),
        ),
    ),
  ],
};
