import type { ResourceInfo, UnknownObject } from '#schema/mod.ts';
import { authorizerVariables } from '../expressions/authorizer-variables.ts';
import type { Decisions } from '../expressions/decisions.ts';
import { namespaceValue, requestValue } from '../expressions/request-value.ts';
import { isNamespace } from '../matching/request.ts';
import type { AdmissionRequestView } from '../matching/request.ts';
import { namespaceNamed } from '../matching/selectors.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import type { MatchContext } from './match-resources.ts';

/** Values of all variables but `params` and `variables`, made at first use for each version. */
export class RequestBindings {
  readonly #context: MatchContext;
  readonly #attributes: AdmissionAttributes;
  readonly #view: AdmissionRequestView;
  readonly #decisions: Decisions;
  #fixed: Readonly<Record<string, unknown>> | undefined;
  readonly #requests = new Map<ResourceInfo, unknown>();

  constructor(
    context: MatchContext,
    attributes: AdmissionAttributes,
    view: AdmissionRequestView,
    decisions: Decisions,
  ) {
    this.#context = context;
    this.#attributes = attributes;
    this.#view = view;
    this.#decisions = decisions;
  }

  /** Throws NotFound when the namespace is not there. */
  async make(
    resource: ResourceInfo,
    {
      object,
      oldObject,
    }: { object: UnknownObject | undefined; oldObject: UnknownObject | undefined },
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#fixed ??= {
      namespaceObject: await this.#namespace(),
      ...authorizerVariables(this.#decisions, this.#attributes, this.#view),
    };
    let request = this.#requests.get(resource);
    if (request === undefined) {
      request = requestValue(this.#attributes, this.#view, resource);
      this.#requests.set(resource, request);
    }
    return {
      ...this.#fixed,
      request,
      object: await this.#inVersion(object, resource),
      oldObject: await this.#inVersion(oldObject, resource),
    };
  }

  async #namespace(): Promise<unknown> {
    const { namespace, resource } = this.#view;
    if (namespace === '' || isNamespace(resource)) return null;
    return namespaceValue(await namespaceNamed(this.#context.reader, namespace));
  }

  async #inVersion(object: UnknownObject | undefined, resource: ResourceInfo): Promise<unknown> {
    if (object === undefined) return null;
    const from = this.#view.resource;
    if (resource === from || this.#attributes.kind !== undefined) return object;
    return await this.#context.equivalents.convert(object, from, resource);
  }
}
