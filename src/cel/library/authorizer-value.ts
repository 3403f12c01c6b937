/** The values behind `authorizer` and `authorizer.requestResource`. */
import { CelAbstract } from '../values/value.ts';

/** What is asked; `path` is set for non-resource checks only. */
export interface CelAuthorizationAttributes {
  readonly verb: string;
  /** Undefined: the user of the request. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  readonly path?: string;
  readonly resource?: CelResourceAttributes;
}

export interface CelResourceAttributes {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

export interface CelAuthorizationDecision {
  readonly allowed: boolean;
  readonly reason?: string;
  /** Message of the error that the authorizer met. */
  readonly error?: string;
}

/** Answers at once: evaluation is synchronous, so decisions are made beforehand. */
export type CelAuthorizationCheck = (
  attributes: CelAuthorizationAttributes,
) => CelAuthorizationDecision;

/** Values that functions take only; equal to nothing but themselves. */
abstract class ReceiverValue extends CelAbstract {
  equals(other: CelAbstract): boolean {
    return other === this;
  }

  toJson(): undefined {
    return undefined;
  }
}

export class DecisionValue extends ReceiverValue {
  readonly typeName = 'kubernetes.authorization.Decision';
  readonly decision: CelAuthorizationDecision;

  constructor(decision: CelAuthorizationDecision) {
    super();
    this.decision = decision;
  }
}

interface Asker {
  readonly check: CelAuthorizationCheck;
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
}

export class AuthorizerValue extends ReceiverValue {
  readonly typeName = 'kubernetes.authorization.Authorizer';
  readonly asker: Asker;

  constructor(asker: Asker) {
    super();
    this.asker = asker;
  }
}

export class PathCheckValue extends ReceiverValue {
  readonly typeName = 'kubernetes.authorization.PathCheck';
  readonly asker: Asker;
  readonly path: string;

  constructor(asker: Asker, path: string) {
    super();
    this.asker = asker;
    this.path = path;
  }

  decide(verb: string): DecisionValue {
    const { check, serviceAccount } = this.asker;
    const user = serviceAccount === undefined ? {} : { serviceAccount };
    return new DecisionValue(check({ verb, path: this.path, ...user }));
  }
}

export class GroupCheckValue extends ReceiverValue {
  readonly typeName = 'kubernetes.authorization.GroupCheck';
  readonly asker: Asker;
  readonly group: string;

  constructor(asker: Asker, group: string) {
    super();
    this.asker = asker;
    this.group = group;
  }
}

export class ResourceCheckValue extends ReceiverValue {
  readonly typeName = 'kubernetes.authorization.ResourceCheck';
  readonly asker: Asker;
  readonly resource: CelResourceAttributes;

  constructor(asker: Asker, resource: CelResourceAttributes) {
    super();
    this.asker = asker;
    this.resource = resource;
  }

  with(change: Partial<CelResourceAttributes>): ResourceCheckValue {
    return new ResourceCheckValue(this.asker, { ...this.resource, ...change });
  }

  decide(verb: string): DecisionValue {
    const { check, serviceAccount } = this.asker;
    const user = serviceAccount === undefined ? {} : { serviceAccount };
    return new DecisionValue(check({ verb, resource: this.resource, ...user }));
  }
}

/** Value for a variable of abstract type kubernetes.authorization.Authorizer. */
export function createAuthorizerValue(options: { readonly check: CelAuthorizationCheck }): unknown {
  return new AuthorizerValue({ check: options.check });
}

/** Value for `authorizer.requestResource`, of type kubernetes.authorization.ResourceCheck. */
export function createResourceCheckValue(options: {
  readonly check: CelAuthorizationCheck;
  readonly resource: Partial<CelResourceAttributes>;
}): unknown {
  const { check, resource } = options;
  return new ResourceCheckValue({ check }, { ...emptyResource, ...resource });
}

export const emptyResource: CelResourceAttributes = {
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  fieldSelector: '',
  labelSelector: '',
};
