import { resources } from '#client/mod.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { Namespace, ResourceV1ResourceClaim } from '#schema/types.ts';
import { sameJson } from '../admission/same-json.ts';
import { invalid } from '../api-errors.ts';
import { parseServiceAccountUser } from '../authn/service-account-claims.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import { forbiddenRequest } from '../authz/forbidden.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { UserInfo } from '../request.ts';
import type { HookScope, KindHookTable } from './kind-hooks.ts';

type Claim = ResourceV1ResourceClaim;
type Status = NonNullable<Claim['status']>;
type Requests = NonNullable<NonNullable<Claim['spec']['devices']>['requests']>;

const adminLabel = 'resource.kubernetes.io/admin-access';

/**
 * Access to devices for administration is for namespaces that are labelled for it; the parts of a
 * claim's status each need a permission of their own, on subresources that only exist for that
 * (gates DRAAdminAccess and DRAResourceClaimGranularStatusAuthorization of 1.36).
 */
export function createResourceClaimHooks(options: {
  reader: ObjectReader;
  authorizer: Authorizer;
}): KindHookTable {
  const { reader, authorizer } = options;
  const isForAdmin = (object: UnknownObject): boolean => {
    const name = object.metadata.namespace ?? '';
    const namespace = reader.get<Namespace>(resources.namespaces, '', name);
    return namespace?.metadata.labels?.[adminLabel] === 'true';
  };
  const refusal = (object: UnknownObject, field: string | undefined): readonly FieldError[] => {
    if (field === undefined || isForAdmin(object)) return [];
    const text = `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`;
    return [forbiddenField(field, text)];
  };
  return {
    'resourceclaims.resource.k8s.io': {
      validate(object, old) {
        const claim = object as unknown as Claim;
        if (old === undefined) return refusal(object, adminRequest(claim.spec.devices?.requests));
        const stored = (old as unknown as Claim).status;
        if (adminResult(stored) !== undefined) return [];
        return refusal(object, adminResult(claim.status));
      },
      async beforeUpdate(object, old, scope) {
        if (scope.subresource !== 'status') return undefined;
        const status = (object as unknown as Claim).status ?? {};
        const before = (old as unknown as Claim).status ?? {};
        const errors = await statusErrors(authorizer, scope, status, before);
        if (errors.length > 0) throw invalid(scope.info, object.metadata.name, errors);
        return undefined;
      },
    },
    'resourceclaimtemplates.resource.k8s.io': {
      validate(object, old) {
        if (old !== undefined) return [];
        const { spec } = object as unknown as { spec?: { spec?: Claim['spec'] } };
        return refusal(object, adminRequest(spec?.spec?.devices?.requests));
      },
    },
  };
}

function forbiddenField(field: string, text: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${text}` };
}

/** The first request for access for administration. */
function adminRequest(requests: Requests | undefined): string | undefined {
  const index = requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1;
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`;
}

/** The first device that was given for administration. */
function adminResult(status: Status | undefined): string | undefined {
  const results = status?.allocation?.devices?.results ?? [];
  const index = results.findIndex(({ adminAccess }) => adminAccess === true);
  return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`;
}

async function statusErrors(
  authorizer: Authorizer,
  scope: HookScope,
  status: Status,
  before: Status,
): Promise<FieldError[]> {
  const { user, info } = scope.context;
  const errors: FieldError[] = [];
  const ask = async (verbs: readonly string[], subresource: string, more: object) => {
    let first: string | undefined;
    for (const verb of verbs) {
      const { group, version, resource } = info;
      const asked = {
        verb,
        group,
        version,
        resource,
        subresource,
        namespace: '',
        name: '',
        ...more,
      };
      const request = { user, path: '', verb, resource: asked };
      const { decision, reason, error = '' } = await authorizer.authorize(request);
      if (decision === 'allow') return undefined;
      const why = [error, reason].filter((text) => text !== '').join(': ');
      first ??= forbiddenRequest(request, why).message;
    }
    return first;
  };
  const isBound =
    sameJson(status.allocation, before.allocation) &&
    sameJson(status.reservedFor ?? [], before.reservedFor ?? []);
  if (!isBound) {
    const why = await ask([info.verb], 'binding', {});
    if (why !== undefined) {
      const text = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${info.verb}" permission: ${why}`;
      errors.push(forbiddenField('status', text));
    }
  }
  const isNear = isOnNodeOf(user, status);
  const verbs = [...(isNear ? ['associated-node'] : []), 'arbitrary-node'].map(
    (prefix) => `${prefix}:${info.verb}`,
  );
  for (const name of changedDrivers(status, before)) {
    const why = await ask(verbs, 'driver', { namespace: info.namespace, name });
    if (why === undefined) continue;
    const text = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission: ${why}`;
    errors.push(forbiddenField('status.devices', text));
  }
  return errors;
}

/** Drivers with devices whose state came, went or is another, sorted. */
function changedDrivers(status: Status, before: Status): string[] {
  const keyOf = ({ driver, pool, device, shareID = '' }: NonNullable<Status['devices']>[number]) =>
    JSON.stringify([driver, pool, device, shareID]);
  const stored = new Map((before.devices ?? []).map((device) => [keyOf(device), device]));
  const found = new Set<string>();
  for (const device of status.devices ?? []) {
    const key = keyOf(device);
    const old = stored.get(key);
    stored.delete(key);
    if (old === undefined || !sameJson(old, device)) found.add(device.driver);
  }
  for (const { driver } of stored.values()) found.add(driver);
  return [...found].sort();
}

/** Whether the user is a service account whose token is bound to the node of the allocation. */
function isOnNodeOf(user: UserInfo, { allocation }: Status): boolean {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [{ matchExpressions = [], matchFields = [] } = {}] = terms;
  const [field] = matchFields;
  if (terms.length !== 1 || matchExpressions.length > 0 || matchFields.length !== 1) return false;
  if (field?.key !== 'metadata.name' || field.operator !== 'In') return false;
  const [node, ...others] = field.values ?? [];
  if (node === undefined || node === '' || others.length > 0) return false;
  if (parseServiceAccountUser(user.name) === undefined) return false;
  const bound = user.extra?.['authentication.kubernetes.io/node-name'] ?? [];
  return bound.length === 1 && bound[0] === node;
}
