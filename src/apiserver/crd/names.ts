import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '#schema/types.ts';
import type { Condition } from './conditions.ts';
import { findCondition, withCondition, withoutCondition } from './conditions.ts';
import { nonStructuralType, structureVerdict } from './structure-verdict.ts';

type Names = CustomResourceDefinitionNames;
type Verdict = Omit<Condition, 'lastTransitionTime'>;

/** Names that the other definitions of a group and it itself hold. */
interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

const approval = 'api-approved.kubernetes.io';
const link = 'see https://github.com/kubernetes/enhancements/pull/1111';

/** What a definition's status should say of its names. */
export interface NamesVerdict {
  readonly acceptedNames: Names;
  readonly namesAccepted: Verdict;
}

/**
 * Which of its names a definition gets: those that are free, or that it holds already; the rest
 * stays as it was. Mirrors upstream's naming controller, texts included.
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  all: readonly CustomResourceDefinition[],
): NamesVerdict {
  const wanted = definition.spec.names;
  const held: Names = definition.status?.acceptedNames ?? { plural: '', kind: '' };
  const taken = takenNames(definition, all);
  const accepted: Names = { ...held };
  let refusal: { reason: string; message: string } | undefined;
  const take = (reason: string, errors: readonly string[], accept: () => void): void => {
    if (errors.length === 0) accept();
    else refusal = { reason, message: aggregate(errors) };
  };
  const check = (names: ReadonlySet<string>, name = '', own = ''): string[] =>
    name !== '' && names.has(name) && name !== own ? [`"${name}" is already in use`] : [];
  take('PluralConflict', check(taken.resources, wanted.plural, held.plural), () => {
    accepted.plural = wanted.plural;
  });
  take('SingularConflict', check(taken.resources, wanted.singular, held.singular), () => {
    accepted.singular = wanted.singular;
  });
  const ownShort = new Set(held.shortNames);
  const short = (wanted.shortNames ?? []).filter((name) => !ownShort.has(name));
  take(
    'ShortNamesConflict',
    short.flatMap((name) => check(taken.resources, name)),
    () => {
      accepted.shortNames = wanted.shortNames;
    },
  );
  take('KindConflict', check(taken.kinds, wanted.kind, held.kind), () => {
    accepted.kind = wanted.kind;
  });
  take('ListKindConflict', check(taken.kinds, wanted.listKind, held.listKind), () => {
    accepted.listKind = wanted.listKind;
  });
  accepted.categories = wanted.categories;
  const verdict = refusal ?? { reason: 'NoConflicts', message: 'no conflicts found' };
  const status = refusal === undefined ? 'True' : 'False';
  return {
    acceptedNames: definedOnly(accepted),
    namesAccepted: { type: 'NamesAccepted', status, ...verdict },
  };
}

function definedOnly(names: Names): Names {
  const entries = Object.entries(names).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as Names;
}

function takenNames(
  definition: CustomResourceDefinition,
  all: readonly CustomResourceDefinition[],
): TakenNames {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const other of all) {
    const names = other.status?.acceptedNames;
    if (other.spec.group !== definition.spec.group || names === undefined) continue;
    const isOwn = other.metadata.name === definition.metadata.name;
    // what it holds itself is no obstacle
    if (isOwn) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) {
      if (name !== undefined && name !== '') resources.add(name);
    }
    for (const kind of [names.kind, names.listKind]) {
      if (kind !== undefined && kind !== '') kinds.add(kind);
    }
  }
  return { resources, kinds };
}

/** Several errors as Go's aggregates print them. */
function aggregate(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? (unique[0] ?? '') : `[${unique.join(', ')}]`;
}

/** The conditions of a definition once its names are decided. */
export function nextConditions(
  definition: CustomResourceDefinition,
  namesAccepted: Verdict,
  nowMs: number,
): readonly Condition[] {
  const { generation } = definition.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const set = (conditions: readonly Condition[], wanted: Verdict): readonly Condition[] =>
    withCondition(conditions, { ...wanted, ...observed }, nowMs);
  let conditions = set(definition.status?.conditions ?? [], namesAccepted);
  const isEstablished = findCondition(conditions, 'Established')?.status === 'True';
  if (!isEstablished) {
    conditions = set(
      conditions,
      namesAccepted.status === 'True'
        ? {
            type: 'Established',
            status: 'True',
            reason: 'InitialNamesAccepted',
            message: 'the initial names have been accepted',
          }
        : {
            type: 'Established',
            status: 'False',
            reason: 'NotAccepted',
            message: 'not all names are accepted',
          },
    );
  }
  const nonStructural = structureVerdict(definition);
  conditions =
    nonStructural === undefined
      ? withoutCondition(conditions, nonStructuralType)
      : set(conditions, nonStructural);
  const approved = approvalOf(definition);
  const policy = 'KubernetesAPIApprovalPolicyConformant';
  return approved === undefined
    ? withoutCondition(conditions, policy)
    : set(conditions, { type: policy, ...approved });
}

/** What a kind in one of Kubernetes' own groups says of who looked at it. */
function approvalOf(definition: CustomResourceDefinition): Omit<Verdict, 'type'> | undefined {
  const { group } = definition.spec;
  const isProtected = ['k8s.io', 'kubernetes.io'].some(
    (domain) => group === domain || group.endsWith(`.${domain}`),
  );
  if (!isProtected) return undefined;
  const value = definition.metadata.annotations?.[approval];
  const rule = `protected groups must have approval annotation "${approval}"`;
  if (value === undefined || value === '') {
    return { status: 'False', reason: 'MissingAnnotation', message: `${rule}, ${link}` };
  }
  if (value.startsWith('unapproved')) {
    const message = `not approved: ${JSON.stringify(value)}`;
    return { status: 'False', reason: 'UnapprovedAnnotation', message };
  }
  if (/^https?:\/\/[^/]+/.test(value)) {
    return { status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${value}` };
  }
  const message = `${rule} with either a URL or a reason starting with "unapproved", ${link}`;
  return { status: 'False', reason: 'InvalidAnnotation', message };
}
