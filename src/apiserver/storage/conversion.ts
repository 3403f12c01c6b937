import type { UnknownObject } from '#schema/mod.ts';

/**
 * Turns objects of one kind between the version that is served and the version that is stored.
 * Both directions make new objects and leave their argument as it is.
 */
export interface Conversion {
  toServed(stored: UnknownObject): UnknownObject;
  toStored(served: UnknownObject): UnknownObject;
}
