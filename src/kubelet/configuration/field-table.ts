import { flagName } from './field.ts';
import type { FieldTable, KubeletField } from './field.ts';
import { nodeFields } from './node-fields.ts';
import { podFields } from './pod-fields.ts';
import { resourceFields } from './resource-fields.ts';
import { serverFields } from './server-fields.ts';

/** Every field of KubeletConfiguration v1beta1 as of 1.36. */
export const fieldTable: FieldTable = {
  ...podFields,
  ...nodeFields,
  ...serverFields,
  ...resourceFields,
};

export function findField(name: string): KubeletField | undefined {
  return Object.hasOwn(fieldTable, name) ? fieldTable[name] : undefined;
}

/** Field names by flag; fields without a flag are left out. */
export function fieldsByFlag(): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, field] of Object.entries(fieldTable)) {
    const flag = flagName(name, field);
    if (flag !== 'none') names.set(flag, name);
  }
  return names;
}
