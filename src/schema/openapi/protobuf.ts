/**
 * Writes OpenAPI version 2 as application/com.github.proto-openapi.spec.v2.v1.0+protobuf: the
 * messages of gnostic's OpenAPIv2.proto. Extensions and free values travel as YAML text, for
 * which JSON will do.
 */
import { ReverseWriter } from '../protobuf/writer.ts';
import type { OpenApiV2Document } from './documents.ts';
import type { JsonSchema } from './json-schema.ts';

type Json = Record<string, unknown>;

export function encodeOpenApiV2(document: OpenApiV2Document): Buffer {
  const writer = new ReverseWriter();
  const encoder = new Encoder(writer);
  encoder.securityDefinitions(document.securityDefinitions);
  encoder.security(document.security);
  writer.messageField(9, () => encoder.namedSchemas(document.definitions));
  writer.messageField(8, () => encoder.paths(document.paths));
  writer.messageField(2, () => {
    writer.stringField(2, document.info.version);
    writer.stringField(1, document.info.title);
  });
  writer.stringField(1, document.swagger);
  return writer.finish();
}

/** Each method writes the inside of one message, last field first. */
class Encoder {
  readonly #writer: ReverseWriter;

  constructor(writer: ReverseWriter) {
    this.#writer = writer;
  }

  #text(field: number, value: unknown): void {
    if (typeof value === 'string' && value !== '') this.#writer.stringField(field, value);
  }

  #texts(field: number, values: unknown): void {
    if (!Array.isArray(values)) return;
    for (const value of values.toReversed()) this.#writer.stringField(field, String(value));
  }

  #any(field: number, value: unknown): void {
    this.#writer.messageField(field, () => this.#writer.stringField(2, JSON.stringify(value)));
  }

  #extensions(field: number, of: Json): void {
    for (const name of Object.keys(of).reverse()) {
      if (!name.startsWith('x-')) continue;
      this.#writer.messageField(field, () => {
        this.#any(2, of[name]);
        this.#writer.stringField(1, name);
      });
    }
  }

  securityDefinitions(of: Json): void {
    this.#writer.messageField(13, () => {
      for (const [name, value] of Object.entries(of).reverse()) {
        const { type, name: header, in: place, description } = value as Json;
        this.#writer.messageField(1, () => {
          this.#writer.messageField(2, () =>
            this.#writer.messageField(2, () => {
              this.#text(4, description);
              this.#text(3, place);
              this.#text(2, header);
              this.#text(1, type);
            }),
          );
          this.#writer.stringField(1, name);
        });
      }
    });
  }

  security(of: readonly Json[]): void {
    for (const requirement of of.toReversed()) {
      this.#writer.messageField(12, () => {
        for (const name of Object.keys(requirement).reverse()) {
          this.#writer.messageField(1, () => {
            this.#writer.messageField(2, () => this.#texts(1, requirement[name]));
            this.#writer.stringField(1, name);
          });
        }
      });
    }
  }

  namedSchemas(of: Readonly<Record<string, JsonSchema>>): void {
    for (const name of Object.keys(of).reverse()) {
      this.#writer.messageField(1, () => {
        this.#writer.messageField(2, () => this.schema(of[name] ?? {}));
        this.#writer.stringField(1, name);
      });
    }
  }

  schema(of: JsonSchema): void {
    const { properties, items, type, additionalProperties, enum: values } = of;
    this.#extensions(31, of as Json);
    if (properties !== undefined) {
      this.#writer.messageField(25, () => this.namedSchemas(properties));
    }
    if (items !== undefined) {
      this.#writer.messageField(23, () => this.#writer.messageField(1, () => this.schema(items)));
    }
    if (type !== undefined) {
      this.#writer.messageField(22, () => this.#writer.stringField(1, type));
    }
    if (additionalProperties !== undefined) {
      this.#writer.messageField(21, () => {
        if (typeof additionalProperties === 'boolean') {
          this.#writer.boolField(2, additionalProperties);
        } else {
          this.#writer.messageField(1, () => this.schema(additionalProperties));
        }
      });
    }
    for (const value of values?.toReversed() ?? []) this.#any(20, value);
    this.#texts(19, of.required);
    if (of.default !== undefined) this.#any(5, of.default);
    this.#text(4, of.description);
    this.#text(2, of.format);
    this.#text(1, of.$ref);
  }

  paths(of: Readonly<Record<string, Json>>): void {
    for (const path of Object.keys(of).reverse()) {
      this.#writer.messageField(2, () => {
        this.#writer.messageField(2, () => this.#pathItem(of[path] ?? {}));
        this.#writer.stringField(1, path);
      });
    }
  }

  #pathItem(of: Json): void {
    this.#parameters(9, of['parameters']);
    for (const [field, method] of methodFields) {
      const operation = of[method];
      if (operation === undefined) continue;
      this.#writer.messageField(field, () => this.#operation(operation as Json));
    }
  }

  #operation(of: Json): void {
    this.#extensions(13, of);
    this.#texts(10, of['schemes']);
    this.#writer.messageField(9, () => this.#responses(of['responses'] as Record<string, Json>));
    this.#parameters(8, of['parameters']);
    this.#texts(7, of['consumes']);
    this.#texts(6, of['produces']);
    this.#text(5, of['operationId']);
    this.#text(3, of['description']);
    this.#texts(1, of['tags']);
  }

  #responses(of: Readonly<Record<string, Json>>): void {
    for (const code of Object.keys(of).reverse()) {
      const { schema, description } = of[code] ?? {};
      this.#writer.messageField(1, () => {
        this.#writer.messageField(2, () =>
          this.#writer.messageField(1, () => {
            if (schema !== undefined) {
              this.#writer.messageField(2, () =>
                this.#writer.messageField(1, () => this.schema(schema as JsonSchema)),
              );
            }
            this.#text(1, description);
          }),
        );
        this.#writer.stringField(1, code);
      });
    }
  }

  #parameters(field: number, list: unknown): void {
    if (!Array.isArray(list)) return;
    for (const parameter of (list as Json[]).toReversed()) {
      this.#writer.messageField(field, () =>
        this.#writer.messageField(1, () => this.#parameter(parameter)),
      );
    }
  }

  #parameter(of: Json): void {
    if (of['in'] === 'body') {
      this.#writer.messageField(1, () => {
        this.#writer.messageField(5, () => this.schema(of['schema'] as JsonSchema));
        if (of['required'] === true) this.#writer.boolField(4, true);
        this.#text(3, of['in']);
        this.#text(2, of['name']);
        this.#text(1, of['description']);
      });
      return;
    }
    const isQuery = of['in'] === 'query';
    this.#writer.messageField(2, () =>
      this.#writer.messageField(isQuery ? 3 : 4, () => {
        if (of['uniqueItems'] === true) this.#writer.boolField(isQuery ? 20 : 19, true);
        this.#text(isQuery ? 6 : 5, of['type']);
        this.#text(4, of['name']);
        this.#text(3, of['description']);
        this.#text(2, of['in']);
        if (of['required'] === true) this.#writer.boolField(1, true);
      }),
    );
  }
}

/** Fields of PathItem, the last one first. */
const methodFields: ReadonlyArray<readonly [field: number, method: string]> = [
  [8, 'patch'],
  [7, 'head'],
  [6, 'options'],
  [5, 'delete'],
  [4, 'post'],
  [3, 'put'],
  [2, 'get'],
];
