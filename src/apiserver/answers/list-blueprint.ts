import { encodeProtobuf } from '#schema/protobuf/mod.ts';
import type { AnswerForm } from '../negotiate.ts';
import type { ServedResource } from '../resource-registry.ts';

/**
 * The empty list, in base64, into which clients put the objects of a watch that stands for a list
 * (client-go's WatchList takes the watch for failed without it). It is in the form of the watch and
 * written as upstream writes it: types of Go hold no items as null, custom resources as an empty
 * list. Undefined for tables, which no client collects.
 */
export function listBlueprint(
  { info, layout, custom }: Pick<ServedResource, 'info' | 'layout' | 'custom'>,
  { media, as }: AnswerForm,
): string | undefined {
  if (as === 'Table') return undefined;
  const type =
    as === undefined
      ? { kind: info.listKind, apiVersion: layout.apiVersion }
      : { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' };
  if (media === 'protobuf') {
    return encodeProtobuf({ ...type, metadata: {}, items: [] })?.toString('base64');
  }
  const isCustom = as === undefined && custom !== undefined;
  const list = isCustom
    ? { apiVersion: type.apiVersion, items: [], kind: type.kind }
    : { ...type, metadata: {}, items: null };
  return Buffer.from(`${JSON.stringify(list)}\n`).toString('base64');
}
