import type { Device, DeviceAttribute, ResourceSlice } from '../generated/types.ts';

const lists = ['bools', 'ints', 'strings', 'versions'] as const;

/** The same as for pods, for the devices of a slice. Changes the fresh slice in place. */
export function dropDisabledDeviceFields(
  slice: ResourceSlice,
  old: ResourceSlice | undefined,
): void {
  if (!devicesOf(old).some(hasMappings)) {
    for (const device of devicesOf(slice)) delete device.nodeAllocatableResourceMappings;
  }
  if (devicesOf(old).flatMap(attributesOf).some(hasList)) return;
  for (const attribute of devicesOf(slice).flatMap(attributesOf)) {
    for (const list of lists) delete attribute[list];
  }
}

function devicesOf(slice: ResourceSlice | undefined): Device[] {
  const { spec } = (slice ?? {}) as Partial<ResourceSlice>;
  return spec?.devices ?? [];
}

function hasMappings({ nodeAllocatableResourceMappings }: Device): boolean {
  return Object.keys(nodeAllocatableResourceMappings ?? {}).length > 0;
}

function attributesOf({ attributes }: Device): DeviceAttribute[] {
  return Object.values(attributes ?? {});
}

function hasList(attribute: DeviceAttribute): boolean {
  return lists.some((list) => attribute[list] !== undefined);
}
