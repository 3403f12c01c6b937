import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { ServiceAccount, TokenRequestSpec } from '#schema/types.ts';

import type { AdmissionAttributes } from '../admission/plugin.ts';
import { badRequest, conflict, invalid, notFound } from '../api-errors.ts';
import { getOrRefresh } from '../authz/object-reader.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { VirtualCreate } from '../virtual-resource.ts';
import { boundObject } from './bound-object.ts';
import type { BoundClaims } from './bound-object.ts';
import type { Claims, KubernetesClaims } from './service-account-claims.ts';

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;
/** What the ServiceAccount plugin asks for: such tokens live a year, for clients that never reread. */
const extendableSeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;

/** Signs claims with the key of the cluster. */
export interface TokenSigner {
  sign(claims: Claims): Promise<string>;
}

export interface TokenRequestOptions {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: TokenSigner;
  readonly issuer: string;
  /** --api-audiences: what a token is for when the request does not say. */
  readonly audiences: readonly string[];
  /** --service-account-extend-token-expiration; on by default. */
  readonly extendExpiration?: boolean | undefined;
  /** --service-account-max-token-expiration in seconds; absent for no limit. */
  readonly maxExpirationSeconds?: number | undefined;
  /** Asked before a token is made: NodeRestriction keeps nodes to tokens of their own pods. */
  readonly admission: {
    mutate(attributes: AdmissionAttributes): Promise<void>;
    validate(attributes: AdmissionAttributes): Promise<void>;
  };
}

/** Creates at serviceaccounts/<name>/token: the request comes back with a signed token. */
export function createTokenRequestHandler(options: TokenRequestOptions): VirtualCreate {
  const { reader, clock } = options;
  return async (object, context) => {
    const { namespace, name } = context.info;
    const metadata = { ...object.metadata };
    if ((metadata.name ?? '') === '') metadata.name = name;
    if ((metadata.namespace ?? '') === '') metadata.namespace = namespace;
    checkNames(metadata, namespace, name);
    const attributes: AdmissionAttributes = {
      context,
      operation: 'CREATE',
      subresource: 'token',
      namespace,
      name,
      object: { ...object, metadata },
      oldObject: undefined,
      options: {},
      dryRun: context.query.get('dryRun') === 'All',
    };
    await options.admission.mutate(attributes);
    const spec = checkedSpec(object['spec'] ?? {}, options.audiences);
    await options.admission.validate(attributes);

    const account = await getOrRefresh<ServiceAccount>(
      reader,
      resources.serviceAccounts,
      namespace,
      name,
    );
    if (account === undefined) throw notFound(resources.serviceAccounts, name);
    if (metadata.uid !== undefined && metadata.uid !== account.metadata.uid) {
      throw conflict(
        { group: kind.group, resource: 'tokenrequests' },
        name,
        `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${account.metadata.uid ?? ''})`,
      );
    }
    const bound = await boundObject(reader, namespace, name, spec.boundObjectRef);
    const cap = options.maxExpirationSeconds;
    if (cap !== undefined && spec.expirationSeconds > cap) {
      context.warnings.add(
        `requested expiration of ${spec.expirationSeconds} seconds shortened to ${cap} seconds`,
      );
      spec.expirationSeconds = cap;
    }
    const nowSeconds = Math.floor(clock.now() / 1000);
    const claims = claimsOf({ options, account, bound, spec, nowSeconds });
    const token = await options.signer.sign(claims);
    const credential = `JTI=${String(claims['jti'])}`;
    context.trail?.annotate('authentication.kubernetes.io/issued-credential-id', credential);
    const expirationTimestamp = formatTime((nowSeconds + spec.expirationSeconds) * 1000);
    metadata.creationTimestamp = formatTime(clock.now());
    return { ...object, metadata, spec, status: { token, expirationTimestamp } };
  };
}

type CheckedSpec = TokenRequestSpec & { expirationSeconds: number; audiences: string[] };

function checkNames(
  metadata: { name?: string | undefined; namespace?: string | undefined },
  namespace: string,
  name: string,
): void {
  if (metadata.namespace !== namespace) {
    throw badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  }
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${name})`,
    );
  }
}

function checkedSpec(spec: TokenRequestSpec, defaultAudiences: readonly string[]): CheckedSpec {
  const expirationSeconds = spec.expirationSeconds ?? defaultSeconds;
  const refusal =
    expirationSeconds < minSeconds
      ? 'may not specify a duration less than 10 minutes'
      : expirationSeconds > maxSeconds
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (refusal !== undefined) {
    const message = `Invalid value: ${expirationSeconds}: ${refusal}`;
    throw invalid(kind, '', [
      { type: 'FieldValueInvalid', field: 'spec.expirationSeconds', message },
    ]);
  }
  const asked = spec.audiences ?? [];
  const audiences = asked.length === 0 ? [...defaultAudiences] : asked;
  return { ...spec, expirationSeconds, audiences };
}

function claimsOf(of: {
  options: TokenRequestOptions;
  account: ServiceAccount;
  bound: BoundClaims;
  spec: CheckedSpec;
  nowSeconds: number;
}): Claims {
  const { options, account, bound, spec, nowSeconds } = of;
  const { name, namespace = '', uid } = account.metadata;
  const isForServer =
    spec.audiences.length === options.audiences.length &&
    spec.audiences.every((audience) => options.audiences.includes(audience));
  const isExtended =
    options.extendExpiration !== false &&
    bound.pod !== undefined &&
    isForServer &&
    spec.expirationSeconds === extendableSeconds;
  const own: KubernetesClaims = {
    namespace,
    ...bound,
    serviceaccount: { name, uid },
    ...(isExtended ? { warnafter: nowSeconds + spec.expirationSeconds } : {}),
  };
  return {
    aud: spec.audiences,
    exp: nowSeconds + (isExtended ? extendedSeconds : spec.expirationSeconds),
    iat: nowSeconds,
    iss: options.issuer,
    jti: options.random.uuid(),
    'kubernetes.io': own,
    nbf: nowSeconds,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
}
