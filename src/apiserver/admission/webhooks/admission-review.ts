import type { Random } from '#base/random.ts';
import type { GroupVersionKind, ResourceInfo, UnknownObject } from '#schema/mod.ts';
import type { UserInfo } from '../../request.ts';
import { kindOf } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import type { AdmissionAttributes } from '../plugin.ts';

const reviewVersions: ReadonlySet<string> = new Set(['v1', 'v1beta1']);

/** The first version of a webhook's list that this server speaks; admission refuses others. */
export function reviewVersion(accepted: readonly string[] | undefined): string | undefined {
  return accepted?.find((version) => reviewVersions.has(version));
}

/** One review on its way to a webhook. */
export interface Review {
  readonly uid: string;
  readonly apiVersion: string;
  /** JSON. */
  readonly text: string;
}

/**
 * Writes the reviews of one request: what they have in common is turned into JSON once, each object
 * once per version of it.
 */
export class ReviewWriter {
  readonly #attributes: AdmissionAttributes;
  readonly #view: AdmissionRequestView;
  readonly #random: Random;
  readonly #encoded = new Map<UnknownObject, string>();
  #common: string | undefined;

  constructor(attributes: AdmissionAttributes, view: AdmissionRequestView, random: Random) {
    this.#attributes = attributes;
    this.#view = view;
    this.#random = random;
  }

  write(options: {
    /** v1 or v1beta1. */
    version: string;
    /** The resource that the webhook wants to see. */
    resource: ResourceInfo;
    object: UnknownObject | undefined;
    oldObject: UnknownObject | undefined;
  }): Review {
    const { resource, object, oldObject } = options;
    const { subresource } = this.#view;
    const isOwn = resource === this.#view.resource;
    const kind = isOwn ? this.#view.kind : kindOf(resource, subresource);
    const uid = this.#random.uuid();
    const apiVersion = `admission.k8s.io/${options.version}`;
    const target = {
      uid,
      kind: kindFields(kind),
      resource: resourceFields(resource),
      ...(subresource === '' ? {} : { subResource: subresource }),
    };
    const text =
      `{"kind":"AdmissionReview","apiVersion":"${apiVersion}","request":` +
      `${JSON.stringify(target).slice(0, -1)},${this.#commonText()}` +
      `,"object":${this.#encode(object)},"oldObject":${this.#encode(oldObject)}}}`;
    return { uid, apiVersion, text };
  }

  #encode(object: UnknownObject | undefined): string {
    if (object === undefined) return 'null';
    let text = this.#encoded.get(object);
    if (text === undefined) this.#encoded.set(object, (text = JSON.stringify(object)));
    return text;
  }

  /** What is the same for all webhooks, without braces. */
  #commonText(): string {
    if (this.#common !== undefined) return this.#common;
    const { kind, resource, subresource, name, namespace, options } = this.#view;
    const { operation, dryRun, context } = this.#attributes;
    const fields = {
      requestKind: kindFields(kind),
      requestResource: resourceFields(resource),
      ...(subresource === '' ? {} : { requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: userFields(context.user),
      dryRun,
      options: options ?? null,
    };
    this.#common = JSON.stringify(fields).slice(1, -1);
    return this.#common;
  }
}

function kindFields({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}

function resourceFields({ group, version, resource }: ResourceInfo): Record<string, string> {
  return { group, version, resource };
}

/** A user as authentication/v1 UserInfo. */
export function userFields({ name, uid, groups, extra }: UserInfo): Record<string, unknown> {
  return {
    username: name,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
