/** Compacts the protobuf facts of the stable groups: message -> field -> "number type flags". */
import type { ProtobufFacts, ProtobufField } from './facts.ts';
import { isStableType, readFacts } from './facts.ts';

const roots =
  /^k8s\.io\.(apimachinery|apiextensions_apiserver\.pkg\.apis\.apiextensions\.v1\.|kube_aggregator\.pkg\.apis\.apiregistration\.v1\.)/;

export function generateProtobuf(directory: string): Record<string, unknown> {
  const facts = readFacts(directory, 'protobuf') as ProtobufFacts;
  const names: string[] = [];
  const visit = (name: string): void => {
    const message = facts.messages[name];
    if (message === undefined || names.includes(name)) return;
    names.push(name);
    for (const field of Object.values(message.fields)) {
      if (field.t !== undefined) visit(field.t);
      if (field.map !== undefined) visit(field.map[1]);
    }
  };
  for (const [name, message] of Object.entries(facts.messages)) {
    if (isStableType(message.openapi ?? '') || roots.test(name)) visit(name);
  }
  names.sort();
  const ids = new Map(names.map((name, index) => [name, index]));
  const messages: Record<string, unknown> = {};
  for (const name of names) {
    const fields: Record<string, unknown> = {};
    for (const [field, fact] of Object.entries(facts.messages[name]?.fields ?? {})) {
      fields[field] = compact(fact, ids);
    }
    messages[name] = fields;
  }
  return { messages };
}

function compact(field: ProtobufField, ids: Map<string, number>): string {
  const code = (type: string): string => (ids.has(type) ? `#${ids.get(type)}` : type);
  const type =
    field.map === undefined
      ? `${field.r === 1 ? '[' : ''}${code(field.t ?? '')}`
      : `{${code(field.map[0])},${code(field.map[1])}`;
  return `${field.n} ${type}${field.z === 1 ? '&' : ''}${field.inline === 1 ? '^' : ''}`;
}
