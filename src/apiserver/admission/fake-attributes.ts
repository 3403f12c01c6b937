import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';

import type { ResourceRequestContext, UserInfo } from '../request.ts';
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from './plugin.ts';

/** What a test says of a write; the rest is filled in. */
export interface FakeWrite {
  /** `pods`, `deployments.apps`, `pods/status`. */
  readonly resource: string;
  readonly operation?: AdmissionOperation;
  readonly object?: unknown;
  readonly old?: unknown;
  readonly user?: UserInfo;
  readonly name?: string;
  readonly namespace?: string;
  readonly dryRun?: boolean;
}

/** Attributes of a write, for tests of plugins. */
export function fakeAttributes(write: FakeWrite): AdmissionAttributes {
  const [whole = '', subresource = ''] = write.resource.split('/');
  const dot = whole.indexOf('.');
  const resource = dot < 0 ? whole : whole.slice(0, dot);
  const group = dot < 0 ? '' : whole.slice(dot + 1);
  const object = write.object as UnknownObject | undefined;
  const old = write.old as UnknownObject | undefined;
  const metadata = (object ?? old)?.metadata;
  const context = {
    resource: { group, version: 'v1', resource } as ResourceInfo,
    user: write.user ?? { name: 'admin', groups: [] },
    warnings: new Set<string>(),
    signal: new AbortController().signal,
  } as unknown as ResourceRequestContext;
  return {
    context,
    operation: write.operation ?? (old === undefined ? 'CREATE' : 'UPDATE'),
    subresource,
    namespace: write.namespace ?? metadata?.namespace ?? '',
    name: write.name ?? metadata?.name ?? '',
    object,
    oldObject: old,
    options: {},
    dryRun: write.dryRun ?? false,
  };
}

/** Runs both passes of one plugin; the attributes show what it did. Throws what it throws. */
export async function admit(
  plugin: AdmissionPlugin,
  write: FakeWrite,
): Promise<AdmissionAttributes> {
  const attributes = fakeAttributes(write);
  if (!plugin.handles(attributes)) return attributes;
  await plugin.mutate?.(attributes);
  await plugin.validate?.(attributes);
  return attributes;
}
