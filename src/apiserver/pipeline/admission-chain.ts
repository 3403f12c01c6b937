import type { AdmissionAttributes, AdmissionPlugin } from '../admission/plugin.ts';

/** All admission plugins in upstream's order: first every mutation, later every validation. */
export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.#validating = plugins.filter((plugin) => plugin.validate !== undefined);
  }

  /** When a plugin asks for it, all are asked once more, as upstream's reinvocation. */
  async mutate(attributes: AdmissionAttributes): Promise<void> {
    await this.#mutateOnce(attributes);
    const { reinvocation } = attributes;
    if (reinvocation?.isWanted !== true) return;
    reinvocation.isSecondRound = true;
    await this.#mutateOnce(attributes);
  }

  async #mutateOnce(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#mutating) {
      if (!plugin.handles(attributes)) continue;
      const pending = plugin.mutate?.(attributes);
      if (pending !== undefined) await pending;
    }
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#validating) {
      if (!plugin.handles(attributes)) continue;
      const pending = plugin.validate?.(attributes);
      if (pending !== undefined) await pending;
    }
  }
}
