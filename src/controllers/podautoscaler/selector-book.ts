import { messageOf } from '#base/errors.ts';
import type { Informer } from '#client/mod.ts';
import { parseLabelSelector } from '#schema/selectors/mod.ts';
import type { LabelSelector } from '#schema/selectors/mod.ts';
import type { Pod } from '#schema/types.ts';

export interface SelectedPods {
  readonly text: string;
  readonly pods: readonly Pod[];
}

/** Why a selector is of no use; texts of the event and of the condition ScalingActive. */
export interface SelectorProblem {
  readonly event: string;
  readonly message: string;
  readonly reason: string;
  readonly condition: string;
}

/** Which autoscaler looks at which pods, so that two do not pull at the same. */
export interface SelectorBook {
  /** The pods of an autoscaler's target, by the selector of its scale. */
  use(key: string, namespace: string, selector: string): SelectedPods | SelectorProblem;
  forget(key: string): void;
}

export function createSelectorBook(pods: Informer<Pod>): SelectorBook {
  const known = new Map<string, { namespace: string; selector: LabelSelector }>();

  /** Keys of all autoscalers that one of these pods belongs to. */
  const claimants = (namespace: string, selected: readonly Pod[]): string[] =>
    [...known]
      .filter(([, one]) => one.namespace === namespace)
      .filter(([, one]) => selected.some(({ metadata }) => one.selector.matches(metadata.labels)))
      .map(([key]) => key)
      .toSorted();

  return {
    use(key, namespace, text) {
      if (text === '') {
        return {
          event: 'SelectorRequired',
          message: 'selector is required',
          reason: 'InvalidSelector',
          condition: "the HPA target's scale is missing a selector",
        };
      }
      let selector: LabelSelector;
      try {
        selector = parseLabelSelector(text);
      } catch (error) {
        return problem(
          'InvalidSelector',
          `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`,
        );
      }
      known.set(key, { namespace, selector });
      const selected = pods
        .list()
        .filter(({ metadata }) => metadata.namespace === namespace)
        .filter(({ metadata }) => selector.matches(metadata.labels));
      const keys = claimants(namespace, selected);
      if (keys.length > 1) {
        const names = keys.map((one) => `{${one.slice(namespace.length + 1)} ${namespace}}`);
        return problem(
          'AmbiguousSelector',
          `pods by selector ${text} are controlled by multiple HPAs: [${names.join(' ')}]`,
        );
      }
      return { text, pods: selected };
    },
    forget: (key) => known.delete(key),
  };
}

function problem(reason: string, message: string): SelectorProblem {
  return { event: reason, message, reason, condition: message };
}
