import type { Pod } from '#schema/types.ts';
import type { Plugin } from '../framework/plugin.ts';
import { skip, unresolvable } from '../framework/status.ts';

export const reason = "node(s) didn't match Pod's required features";

const stateKey = 'NodeDeclaredFeatures/required';

/** Features of kubelets that a pod cannot do without, and how to see that it needs them. */
const features: readonly { readonly name: string; readonly isNeededBy: (pod: Pod) => boolean }[] = [
  {
    name: 'RestartAllContainersOnContainerExits',
    isNeededBy: ({ spec }) =>
      [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(
        ({ restartPolicyRules = [] }) =>
          restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
      ),
  },
];

/** Keeps pods off nodes whose kubelet does not declare what they need. */
export const nodeDeclaredFeatures: Plugin = {
  name: 'NodeDeclaredFeatures',
  retryOn: ['Node/Add', 'Node/UpdateDeclaredFeature'],
  preFilter(state, { pod }) {
    const required = features.filter(({ isNeededBy }) => isNeededBy(pod)).map(({ name }) => name);
    if (required.length === 0) return { status: skip };
    state.set(stateKey, required);
    return undefined;
  },
  filter(state, _pod, { node }) {
    const declared = node.status?.declaredFeatures ?? [];
    const required = state.get(stateKey) as readonly string[];
    return required.every((name) => declared.includes(name)) ? undefined : unresolvable(reason);
  },
};
