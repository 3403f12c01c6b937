/** The shapes of the fact files that the generators read, as far as they read them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MergeField {
  kind?: 'list' | 'map' | 'struct' | 'untyped';
  elem?: string;
  ref?: string;
  listType?: string;
  inferred?: string;
  listMapKeys?: string[];
  mapType?: string;
  structType?: string;
  patchStrategy?: string[];
  patchMergeKey?: string;
}

export interface MergeFacts {
  types: Record<string, { model: string; structType?: string; fields: Record<string, MergeField> }>;
}

export interface ProtobufField {
  n: number;
  t?: string;
  w: number;
  r?: number;
  z?: number;
  map?: [string, string];
  inline?: number;
  pb?: string;
}

export interface ProtobufFacts {
  messages: Record<
    string,
    { openapi?: string; fields: Record<string, ProtobufField>; jsonForm?: string }
  >;
}

export interface EnumFacts {
  types: Record<string, { values: string[]; plusEnum: boolean; enforced: boolean }>;
  fields: Record<
    string,
    Record<
      string,
      { goType?: string; values?: string[]; enforced?: boolean; mapKeyOrValue?: boolean }
    >
  >;
}

export interface DefaultFact {
  type: string;
  field: string;
  default: unknown;
  when?: string;
  only?: string;
  gate?: string;
  stage?: string;
}

/** The caller names the shape: the files are an input that was checked elsewhere. */
export function readFacts(directory: string, name: string): unknown {
  return JSON.parse(readFileSync(join(directory, `${name}.json`), 'utf8'));
}

/** Whether a type belongs to a group version that is on by default, or to the metrics API. */
export function isStableType(name: string): boolean {
  return /\.v\d+\.[A-Za-z]+$/.test(name) || /\.(pkg\.version|metrics\.v1beta1)\./.test(name);
}
