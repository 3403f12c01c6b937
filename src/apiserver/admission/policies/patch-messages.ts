import type { CelMessage, CelMessages, CelType } from '#cel/mod.ts';

const text: CelType = { kind: 'string' };
const dyn: CelType = { kind: 'dyn' };

const patchFields: Readonly<Record<string, CelType>> = {
  op: text,
  path: text,
  from: text,
  value: dyn,
};

const patchMessage: CelMessage = {
  field: (name) => (Object.hasOwn(patchFields, name) ? patchFields[name] : undefined),
};

/**
 * What mutations may construct: `JSONPatch`, and `Object` with types for its fields whose names are
 * their paths, as `Object.spec.template`. What fields there are is found out when it is applied.
 */
export const patchMessages: CelMessages = (name) => {
  if (name === 'JSONPatch') return patchMessage;
  if (name !== 'Object' && !name.startsWith('Object.')) return undefined;
  return { field: () => dyn, nameOf: (field) => `${name}.${field}` };
};
