import { ApiStatusError } from '#base/api-status-error.ts';
import type { AnswerForm } from '../negotiate.ts';
import type { ServedResource } from '../resource-registry.ts';

/** Throws NotAcceptable, in upstream's words, when a custom resource is wanted as protobuf. */
export function refuseProtobuf(
  { custom }: Pick<ServedResource, 'custom'>,
  { media, as }: AnswerForm,
  isList: boolean,
): void {
  if (custom === undefined || media !== 'protobuf' || as !== undefined) return;
  const type = isList ? 'UnstructuredList' : 'Unstructured';
  throw new ApiStatusError({
    httpCode: 406,
    reason: 'NotAcceptable',
    message: `object *unstructured.${type} does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message`,
  });
}
