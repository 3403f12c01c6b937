import type { Container, NodeSelectorTerm, ObjectMeta, PodSpec, Volume } from '#schema/types.ts';
import { eachIpWarnings, ipWarnings } from './addresses.ts';
import { containerWarnings } from './containers.ts';
import { deprecatedLabel } from './deprecated-labels.ts';
import { fractionWarnings } from './fractions.ts';
import { overlapWarnings } from './overlapping-paths.ts';

/** Annotations that do nothing any more. */
const annotationWarnings: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod':
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls':
    'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls':
    'non-functional in v1.11+; use the "sysctls" field instead',
};

const seccompAnnotation = 'seccomp.security.alpha.kubernetes.io/pod';

/** Sources of volumes that are on their way out or gone, by their field. */
const volumeWarnings: readonly (readonly [field: keyof Volume, shown: string, text: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/**
 * What upstream warns of in a pod or a template, in its order; `path` leads to the template with a
 * dot at its end and is empty for a pod.
 */
export function podSpecWarnings(
  metadata: Partial<ObjectMeta> | undefined,
  spec: PodSpec | undefined,
  path: string,
): string[] {
  if (spec === undefined) return [];
  const annotations = metadata?.annotations ?? {};
  const lines = [
    ...selectorWarnings(spec, `${path}spec`),
    ...spreadWarnings(spec, `${path}spec`),
    ...Object.entries(annotationWarnings).flatMap(([name, text]) =>
      annotations[name] === undefined ? [] : [`${path}metadata.annotations[${name}]: ${text}`],
    ),
    ...(spec.volumes ?? []).flatMap((volume, index) =>
      volumeWarnings.flatMap(([field, shown, text]) =>
        volume[field] === undefined ? [] : [`${path}spec.volumes[${index}].${shown}: ${text}`],
      ),
    ),
    ...(spec.volumes ?? []).flatMap((volume, index) => [
      ...claimWarnings(volume, `${path}spec.volumes[${index}]`),
      ...overlapWarnings(volume),
    ]),
    ...repeatedWarnings(spec, `${path}spec`),
  ];
  if (annotations[seccompAnnotation] !== undefined && noSeccomp(spec)) {
    lines.push(
      `${path}metadata.annotations[${seccompAnnotation}]: non-functional in v1.27+; use the "seccompProfile" field instead`,
    );
  }
  lines.push(...profileWarnings(annotations, spec, path));
  lines.push(...containerWarnings(spec, `${path}spec`));
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    lines.push(
      `${path}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  return [
    ...lines,
    ...affinityWarnings(spec, `${path}spec.affinity`),
    ...eachIpWarnings(spec.dnsConfig?.nameservers, `${path}spec.dnsConfig.nameservers`),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index) =>
      ipWarnings(ip, `${path}spec.hostAliases[${index}].ip`),
    ),
  ];
}

function claimWarnings({ ephemeral }: Volume, path: string): string[] {
  const resources = ephemeral?.volumeClaimTemplate?.spec.resources;
  const at = `${path}.ephemeral.volumeClaimTemplate.spec.resources`;
  return [
    ...fractionWarnings(resources?.requests, `${at}.requests`),
    ...fractionWarnings(resources?.limits, `${at}.limits`),
  ];
}

/** Annotations of containers that fields have taken the place of. */
function profileWarnings(
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
  path: string,
): string[] {
  const lines: string[] = [];
  for (const { name, securityContext } of allContainers(spec)) {
    const seccomp = `container.seccomp.security.alpha.kubernetes.io/${name}`;
    if (annotations[seccomp] !== undefined && securityContext?.seccompProfile === undefined) {
      lines.push(
        `${path}metadata.annotations[${seccomp}]: non-functional in v1.27+; use the "seccompProfile" field instead`,
      );
    }
    const appArmor = `container.apparmor.security.beta.kubernetes.io/${name}`;
    // new pods take their fields from the annotations, and warn of what they took
    const isTemplate = path !== '';
    const isField = securityContext?.appArmorProfile !== undefined;
    if (!isTemplate || isField || annotations[appArmor] === undefined) continue;
    lines.push(
      `${path}metadata.annotations[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`,
    );
  }
  return lines;
}

function allContainers(spec: PodSpec): Pick<Container, 'name' | 'securityContext'>[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  return [...initContainers, ...containers, ...ephemeralContainers];
}

function noSeccomp(spec: PodSpec): boolean {
  return spec.securityContext?.seccompProfile === undefined;
}

function selectorWarnings(spec: PodSpec, path: string): string[] {
  const required = `requiredDuringSchedulingIgnoredDuringExecution`;
  const preferred = `preferredDuringSchedulingIgnoredDuringExecution`;
  const affinity = spec.affinity?.nodeAffinity;
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => {
      const text = deprecatedLabel(label);
      return text === undefined ? [] : [`${path}.nodeSelector[${label}]: ${text}`];
    }),
    ...(affinity?.[required]?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      termWarnings(term, `${path}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${index}]`),
    ),
    ...(affinity?.[preferred] ?? []).flatMap(({ preference }, index) =>
      preferenceWarnings(
        preference,
        `${path}.affinity.nodeAffinity.${preferred}[${index}].preference`,
      ),
    ),
  ];
}

const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

/** Values of preferred terms are not refused, whatever they are. */
function preferenceWarnings(term: NodeSelectorTerm, path: string): string[] {
  const values = (term.matchExpressions ?? []).flatMap(({ values: list = [] }, index) =>
    list.flatMap((value, at) => {
      const place = `${path}.matchExpressions[${index}].values[${at}]`;
      const why = labelValueError(value);
      return why === undefined ? [] : [`${place}: ${value} is invalid, ${why}`];
    }),
  );
  return [...termWarnings(term, path), ...values];
}

function labelValueError(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 characters';
  if (labelValue.test(value)) return undefined;
  return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
}

/** Deprecated labels in one term of node affinity. */
export function termWarnings(term: NodeSelectorTerm, path: string): string[] {
  return (term.matchExpressions ?? []).flatMap(({ key }, index) => {
    const text = deprecatedLabel(key);
    return text === undefined ? [] : [`${path}.matchExpressions[${index}].key: ${key} is ${text}`];
  });
}

function spreadWarnings(spec: PodSpec, path: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap((constraint, index) => {
    const at = `${path}.topologySpreadConstraints[${index}]`;
    const text = deprecatedLabel(constraint.topologyKey);
    return [
      ...(text === undefined ? [] : [`${at}.topologyKey: ${constraint.topologyKey} is ${text}`]),
      ...(constraint.labelSelector === undefined ? [nullSelector(at)] : []),
    ];
  });
}

function nullSelector(path: string): string {
  return `${path}.labelSelector: a null labelSelector results in matching no pod`;
}

function repeatedWarnings(spec: PodSpec, path: string): string[] {
  const ips = new Set<string>();
  const names = new Set<string>();
  const lines: string[] = [];
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (ips.has(ip)) lines.push(`${path}.hostAliases[${index}].ip: duplicate ip "${ip}"`);
    ips.add(ip);
  }
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    const at = `${path}.imagePullSecrets[${index}].name`;
    if (name === '') lines.push(`${at}: invalid empty name ""`);
    else if (names.has(name)) lines.push(`${at}: duplicate name "${name}"`);
    names.add(name);
  }
  lines.push(...fractionWarnings(spec.overhead, `${path}.overhead`));
  return lines;
}

function affinityWarnings(spec: PodSpec, path: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => {
    const affinity = spec.affinity?.[kind];
    const at = `${path}.${kind}`;
    return [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
        term.labelSelector === undefined
          ? [nullSelector(`${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`)]
          : [],
      ),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((one, index) =>
        one.podAffinityTerm.labelSelector === undefined
          ? [
              nullSelector(
                `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`,
              ),
            ]
          : [],
      ),
    ];
  });
}
