import { messageOf } from '#base/errors.ts';
import type { AuthorizationRequest, Authorizer } from '../../authz/authorizer.ts';

/** What an authorizer said, as expressions ask for it. */
export interface DecisionAnswer {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly error: string | undefined;
}

const undecided: DecisionAnswer = { isAllowed: false, reason: '', error: undefined };
/** Rounds of questions that may depend on each other's answers. */
const maxRounds = 100;

/**
 * Decisions for expressions, which cannot wait: what is not known yet is answered with no, noted,
 * asked for after the evaluation, and the evaluation is done again. Each question is asked once per
 * request.
 */
export class Decisions {
  readonly #authorizer: Authorizer;
  readonly #known = new Map<string, DecisionAnswer>();
  readonly #pending = new Map<string, AuthorizationRequest>();

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  ask(request: AuthorizationRequest): DecisionAnswer {
    const key = JSON.stringify(request);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#pending.set(key, request);
    return undecided;
  }

  /** Runs `evaluate`, which must not keep anything between runs, until all it asked is known. */
  async settle<T>(evaluate: () => T): Promise<T> {
    for (let round = 0; ; round++) {
      const result = evaluate();
      if (this.#pending.size === 0 || round === maxRounds) return result;
      const pending = [...this.#pending];
      this.#pending.clear();
      await Promise.all(pending.map(([key, request]) => this.#decide(key, request)));
    }
  }

  async #decide(key: string, request: AuthorizationRequest): Promise<void> {
    try {
      const { decision, reason, error } = await this.#authorizer.authorize(request);
      this.#known.set(key, { isAllowed: decision === 'allow', reason, error });
    } catch (error) {
      this.#known.set(key, { isAllowed: false, reason: '', error: messageOf(error) });
    }
  }
}
