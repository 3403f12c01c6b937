/** Values of topologyManagerPolicy and topologyManagerScope. */
export const topologyPolicies = ['none', 'best-effort', 'restricted', 'single-numa-node'] as const;
export const topologyScopes = ['container', 'pod'] as const;

export type TopologyPolicy = (typeof topologyPolicies)[number];

/** topologyManagerPolicyOptions. */
export interface TopologyPolicyOptions {
  readonly prefersClosest: boolean;
  readonly maxNumaNodes: number;
}

const defaultMaxNumaNodes = 8;

/** Reads the options; throws a plain Error with upstream's text. */
export function readTopologyOptions(
  given: Readonly<Record<string, string>>,
): TopologyPolicyOptions {
  let options: TopologyPolicyOptions = {
    prefersClosest: false,
    maxNumaNodes: defaultMaxNumaNodes,
  };
  for (const [name, text] of Object.entries(given)) {
    const quoted = JSON.stringify(text);
    if (name === 'prefer-closest-numa-nodes') {
      if (!/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(text)) {
        const reason = `strconv.ParseBool: parsing ${quoted}: invalid syntax`;
        throw new Error(`bad value for option "${name}": ${reason}`);
      }
      options = { ...options, prefersClosest: /^[1tT]/.test(text) };
    } else if (name === 'max-allowable-numa-nodes') {
      if (!/^[+-]?\d+$/.test(text)) {
        const reason = `strconv.Atoi: parsing ${quoted}: invalid syntax`;
        throw new Error(`unable to convert policy option to integer "${name}": ${reason}`);
      }
      const maxNumaNodes = Number(text);
      if (maxNumaNodes < defaultMaxNumaNodes) {
        throw new Error(
          `the minimum value of "${name}" should not be less than ${defaultMaxNumaNodes}`,
        );
      }
      options = { ...options, maxNumaNodes };
    } else {
      throw new Error(`unknown Topology Manager Policy option: "${name}"`);
    }
  }
  return options;
}

/** What is wrong with the settings, whatever the machine; undefined when nothing is. */
export function topologyPolicyProblem(settings: {
  policy: string;
  scope: string;
  options: Readonly<Record<string, string>>;
}): string | undefined {
  const { policy, scope } = settings;
  const listed = (values: readonly string[]): string =>
    `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
  if (topologyPolicies.every((one) => one !== policy)) {
    return `topologyManagerPolicy (--topology-manager-policy) "${policy}" must be one of: ${listed(topologyPolicies)}`;
  }
  if (topologyScopes.every((one) => one !== scope)) {
    return `topologyManagerScope (--topology-manager-scope) "${scope}" must be one of: ${listed(topologyScopes)}`;
  }
  try {
    readTopologyOptions(settings.options);
    return undefined;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return `topologyManagerPolicyOptions (--topology-manager-policy-options): ${problem}`;
  }
}
