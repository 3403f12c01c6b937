/** Messages whose JSON is not an object of their fields: times, quantities, embedded JSON, lists. */
import { formatMicroTime, formatTime } from '#base/clock.ts';
import { formatDuration, parseDuration } from '#base/duration.ts';
import type { ProtobufReader } from './reader.ts';
import type { ReverseWriter } from './writer.ts';

export interface SpecialForm {
  /** The JSON value; undefined stands for none (a zero time). */
  readonly decode: (reader: ProtobufReader, nested: NestedCodec) => unknown;
  /** Writes the inside of the message. */
  readonly encode: (value: unknown, writer: ReverseWriter, nested: NestedCodec) => void;
}

/** How a special form reads and writes the messages inside it. */
export interface NestedCodec {
  decode(message: string, reader: ProtobufReader): unknown;
  encode(message: string, value: unknown, writer: ReverseWriter): void;
  /** Embedded objects may be protobuf with an envelope of their own. */
  decodeEmbedded(bytes: Buffer): unknown;
}

const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const extensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1';
const schemaMessage = `${extensions}.JSONSchemaProps`;

/** Calls `visit` for each field; it must read the value. */
function eachField(
  reader: ProtobufReader,
  visit: (field: number, reader: ProtobufReader) => void,
): void {
  while (!reader.isDone) visit(Math.floor(reader.varint() / 8), reader);
}

const nanosPerMilli = 1_000_000;

function timeForm(format: (epochMs: number) => string, isMicro: boolean): SpecialForm {
  return {
    decode(from) {
      let seconds = 0;
      let nanos = 0;
      eachField(from, (field, reader) => {
        if (field === 1) seconds = reader.signed();
        else nanos = reader.signed();
      });
      if (seconds === 0 && nanos === 0) return undefined;
      const text = format(seconds * 1000);
      if (!isMicro || nanos === 0) return text;
      const digits = String(Math.floor(nanos / 1000)).padStart(6, '0');
      return text.replace(/\.\d{6}Z$/, `.${digits}Z`);
    },
    encode(value, writer) {
      if (typeof value !== 'string') return;
      const micros = /\.(\d{1,6})/.exec(value)?.[1];
      if (isMicro && micros !== undefined && Number(micros) !== 0) {
        writer.signed(Number(micros.padEnd(6, '0')) * 1000);
        writer.tag(2, 0);
      } else {
        writer.varint(0);
        writer.tag(2, 0);
      }
      writer.signed(Math.floor(Date.parse(value) / 1000));
      writer.tag(1, 0);
    },
  };
}

const quantity: SpecialForm = {
  decode(from) {
    let text = '';
    eachField(from, (_, reader) => {
      text = reader.string();
    });
    return text === '' ? '0' : text;
  },
  encode: (value, writer) => writer.stringField(1, typeof value === 'string' ? value : '0'),
};

const intOrString: SpecialForm = {
  decode(from) {
    let isText = false;
    let number = 0;
    let text = '';
    eachField(from, (field, reader) => {
      if (field === 1) isText = reader.varint() === 1;
      else if (field === 2) number = reader.signed();
      else text = reader.string();
    });
    return isText ? text : number;
  },
  encode(value, writer) {
    const isText = typeof value === 'string';
    writer.stringField(3, isText ? value : '');
    writer.signed(typeof value === 'number' ? value : 0);
    writer.tag(2, 0);
    writer.varint(isText ? 1 : 0);
    writer.tag(1, 0);
  },
};

const duration: SpecialForm = {
  decode(from) {
    let nanos = 0;
    eachField(from, (_, reader) => {
      nanos = reader.signed();
    });
    return formatDuration(nanos / nanosPerMilli);
  },
  encode(value, writer) {
    writer.signed(
      Math.round(parseDuration(typeof value === 'string' ? value : '0s') * nanosPerMilli),
    );
    writer.tag(1, 0);
  },
};

/** JSON text in one bytes field: RawExtension, FieldsV1, JSON. */
const embedded: SpecialForm = {
  decode(from, nested) {
    let raw: Buffer | undefined;
    eachField(from, (_, reader) => {
      raw = reader.bytes();
    });
    return raw === undefined || raw.length === 0 ? undefined : nested.decodeEmbedded(raw);
  },
  encode(value, writer) {
    if (value !== undefined) writer.stringField(1, JSON.stringify(value));
  },
};

const textList: SpecialForm = {
  decode(from) {
    const items: string[] = [];
    eachField(from, (_, reader) => items.push(reader.string()));
    return items;
  },
  encode(value, writer) {
    if (!Array.isArray(value)) return;
    for (const item of value.toReversed()) writer.stringField(1, String(item));
  },
};

/** JSON schema or a list of something else: field 1 the schema, field 2 the list. */
function schemaOrList(itemsAreSchemas: boolean): SpecialForm {
  return {
    decode(from, nested) {
      let schema: unknown;
      const items: unknown[] = [];
      eachField(from, (field, reader) => {
        if (field === 1) schema = nested.decode(schemaMessage, reader.message());
        else if (itemsAreSchemas) items.push(nested.decode(schemaMessage, reader.message()));
        else items.push(reader.string());
      });
      return schema ?? items;
    },
    encode(value, writer, nested) {
      if (!Array.isArray(value)) {
        writer.messageField(1, () => nested.encode(schemaMessage, value, writer));
        return;
      }
      for (const item of value.toReversed() as unknown[]) {
        if (!itemsAreSchemas) writer.stringField(2, String(item));
        else writer.messageField(2, () => nested.encode(schemaMessage, item, writer));
      }
    },
  };
}

const schemaOrBool: SpecialForm = {
  decode(from, nested) {
    let allows = false;
    let schema: unknown;
    eachField(from, (field, reader) => {
      if (field === 1) allows = reader.varint() === 1;
      else schema = nested.decode(schemaMessage, reader.message());
    });
    return schema ?? allows;
  },
  encode(value, writer, nested) {
    if (typeof value === 'object' && value !== null) {
      writer.messageField(2, () => nested.encode(schemaMessage, value, writer));
    }
    writer.boolField(1, value !== false);
  },
};

export const specialForms: ReadonlyMap<string, SpecialForm> = new Map<string, SpecialForm>([
  [`${meta}.Time`, timeForm(formatTime, false)],
  [`${meta}.MicroTime`, timeForm(formatMicroTime, true)],
  [`${meta}.Duration`, duration],
  [`${meta}.FieldsV1`, embedded],
  [`${meta}.Verbs`, textList],
  ['k8s.io.apimachinery.pkg.api.resource.Quantity', quantity],
  ['k8s.io.apimachinery.pkg.util.intstr.IntOrString', intOrString],
  ['k8s.io.apimachinery.pkg.runtime.RawExtension', embedded],
  ['k8s.io.api.authentication.v1.ExtraValue', textList],
  ['k8s.io.api.authorization.v1.ExtraValue', textList],
  ['k8s.io.api.certificates.v1.ExtraValue', textList],
  [`${extensions}.JSON`, embedded],
  [`${extensions}.JSONSchemaPropsOrArray`, schemaOrList(true)],
  [`${extensions}.JSONSchemaPropsOrStringArray`, schemaOrList(false)],
  [`${extensions}.JSONSchemaPropsOrBool`, schemaOrBool],
]);
