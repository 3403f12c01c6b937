import assert from 'node:assert/strict';
import { catalog } from '../catalog.ts';
import type { ResourceInfo } from '../resource-info.ts';

/** A resource of the catalog that must be there. */
export function infoOf(group: string, resource: string, version = 'v1'): ResourceInfo {
  const info = catalog.byResource({ group, version, resource });
  assert.ok(info, resource);
  return info;
}
