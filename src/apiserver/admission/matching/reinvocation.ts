import type { UnknownObject } from '#schema/mod.ts';
import { copyJson, isSameJson } from '../../json-copy.ts';

/**
 * The second round of mutating admission: plugins that call out say that they changed the object,
 * the chain then asks every plugin once more, and those that want it are called again.
 */
export class Reinvocation {
  /** Set by a plugin whose change others should see. */
  isWanted = false;
  /** True in the second round; there is no third one. */
  isSecondRound = false;
  readonly #byPlugin = new Map<string, PluginReinvocation>();

  of(plugin: string): PluginReinvocation {
    let own = this.#byPlugin.get(plugin);
    if (own === undefined) this.#byPlugin.set(plugin, (own = new PluginReinvocation()));
    return own;
  }
}

/** What one plugin remembers between the rounds; `key` names a webhook, or a policy with its binding. */
export class PluginReinvocation {
  #earlier = new Set<string>();
  readonly #again = new Set<string>();
  #lastOutput: UnknownObject | undefined;

  /** Another one changed the object: those that were called before it are called again. */
  requireEarlier(): void {
    for (const key of this.#earlier) this.#again.add(key);
    this.#earlier = new Set();
  }

  addCalled(key: string): void {
    this.#earlier.add(key);
  }

  isCalledAgain(key: string): boolean {
    return this.#again.has(key);
  }

  /** Remembers what the round ended with; a copy, because later plugins change objects in place. */
  setOutput(object: UnknownObject | undefined): void {
    this.#lastOutput = this.#earlier.size === 0 ? undefined : copyJson(object);
  }

  isOutputChanged(object: UnknownObject | undefined): boolean {
    return !isSameJson(this.#lastOutput, object);
  }
}
