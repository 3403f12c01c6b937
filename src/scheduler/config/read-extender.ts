import { messageOf } from '#base/errors.ts';
import type { FieldReader } from './field-reader.ts';
import type { ExtenderConfiguration, ExtenderTls } from './scheduler-configuration.ts';

/** Reads a text file whose path the configuration names; throws when it cannot. */
export type ReadFile = (path: string) => string;

/** One entry of `extenders`; bytes of TLS data come in base64, as in the API. */
export function readExtender(reader: FieldReader, readFile: ReadFile): ExtenderConfiguration {
  const prioritizeVerb = reader.string('prioritizeVerb') ?? '';
  const weight = reader.integer('weight', 0) ?? 0;
  if (prioritizeVerb !== '' && weight === 0) {
    reader.fail('weight', 'Invalid value: 0: must have a positive weight applied to it');
  }
  const managedResources = reader.objects('managedResources').map((one) => {
    const name = one.string('name') ?? one.fail('name', 'Required value');
    const ignoredByScheduler = one.boolean('ignoredByScheduler') ?? false;
    one.end();
    return { name, ignoredByScheduler };
  });
  const tls = reader.object('tlsConfig');
  const extender = {
    urlPrefix: urlOf(reader),
    filterVerb: reader.string('filterVerb') ?? '',
    prioritizeVerb,
    preemptVerb: reader.string('preemptVerb') ?? '',
    bindVerb: reader.string('bindVerb') ?? '',
    weight,
    enableHTTPS: reader.boolean('enableHTTPS') ?? false,
    tlsConfig: tls === undefined ? undefined : readTls(tls, readFile),
    httpTimeoutMs: reader.durationMs('httpTimeout') ?? 5000,
    nodeCacheCapable: reader.boolean('nodeCacheCapable') ?? false,
    managedResources,
    ignorable: reader.boolean('ignorable') ?? false,
  };
  reader.end();
  return extender;
}

function urlOf(reader: FieldReader): string {
  const text = reader.string('urlPrefix') ?? reader.fail('urlPrefix', 'Required value');
  if (!URL.canParse(text)) reader.fail('urlPrefix', `Invalid value: "${text}": must be a URL`);
  return text;
}

function readTls(reader: FieldReader, readFile: ReadFile): ExtenderTls {
  /** The data wins over the file, as upstream. */
  const pem = (field: 'ca' | 'cert' | 'key'): string | undefined => {
    const text = reader.string(`${field}Data`);
    const file = reader.string(`${field}File`);
    if (text !== undefined) return Buffer.from(text, 'base64').toString();
    if (file === undefined) return undefined;
    try {
      return readFile(file);
    } catch (error) {
      return reader.fail(`${field}File`, messageOf(error));
    }
  };
  const tls = {
    insecure: reader.boolean('insecure') ?? false,
    serverName: reader.string('serverName'),
    ca: pem('ca'),
    cert: pem('cert'),
    key: pem('key'),
  };
  reader.end();
  return tls;
}
