import type { AdmissionAttributes, AdmissionPlugin } from '../admission/plugin.ts';
import type { AdmissionMeter } from '../metrics/mod.ts';

type Step = 'admit' | 'validate';

/** All admission plugins in upstream's order: first every mutation, later every validation. */
export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];
  readonly #meter: AdmissionMeter | undefined;

  constructor(plugins: readonly AdmissionPlugin[], meter?: AdmissionMeter) {
    this.#mutating = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.#validating = plugins.filter((plugin) => plugin.validate !== undefined);
    this.#meter = meter;
  }

  /** When a plugin asks for it, all are asked once more, as upstream's reinvocation. */
  async mutate(attributes: AdmissionAttributes): Promise<void> {
    await this.#measured('admit', attributes, async () => {
      await this.#run('admit', attributes);
      const { reinvocation } = attributes;
      if (reinvocation?.isWanted !== true) return;
      reinvocation.isSecondRound = true;
      await this.#run('admit', attributes);
    });
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    await this.#measured('validate', attributes, () => this.#run('validate', attributes));
  }

  async #run(step: Step, attributes: AdmissionAttributes): Promise<void> {
    const meter = this.#meter;
    const plugins = step === 'admit' ? this.#mutating : this.#validating;
    // the clock is read once for each plugin: where one ends, the next begins
    let startMs = meter?.nowMs() ?? 0;
    for (const plugin of plugins) {
      if (!plugin.handles(attributes)) continue;
      let isRejected = true;
      try {
        const pending =
          step === 'admit' ? plugin.mutate?.(attributes) : plugin.validate?.(attributes);
        if (pending !== undefined) await pending;
        isRejected = false;
      } finally {
        const { operation } = attributes;
        const observed = { plugin: plugin.name, type: step, operation, isRejected, startMs };
        if (meter !== undefined) startMs = meter.observe(observed);
      }
    }
  }

  async #measured(
    type: Step,
    { operation }: AdmissionAttributes,
    work: () => Promise<void>,
  ): Promise<void> {
    const meter = this.#meter;
    if (meter === undefined) return await work();
    const startMs = meter.nowMs();
    let isRejected = true;
    try {
      await work();
      isRejected = false;
    } finally {
      meter.observe({ plugin: undefined, type, operation, isRejected, startMs });
    }
  }
}
