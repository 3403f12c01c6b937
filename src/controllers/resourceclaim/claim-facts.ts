import { controllerOf, controllerReference } from '#client/mod.ts';
import type {
  Pod,
  PodResourceClaim,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim as ResourceClaim,
} from '#schema/types.ts';
import { isDeleting, isPodFinished } from '../pods/pod-state.ts';

export const claimFinalizer = 'resource.kubernetes.io/delete-protection';
const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name';

/** Leaves room for a dash and five letters in a name of 63. */
const maxBaseLength = 57;
/** A claim is shared by at most so many. */
const maxReservations = 256;

/** The name of the claim that a pod uses; undefined while it is not known, or none is needed. */
export function claimNameOf(pod: Pod, wanted: PodResourceClaim): string | undefined {
  if (wanted.resourceClaimName !== undefined) return wanted.resourceClaimName;
  const statuses = pod.status?.resourceClaimStatuses ?? [];
  return statuses.find(({ name }) => name === wanted.name)?.resourceClaimName;
}

/** Whether it was decided already that the pod needs no claim of this name. */
export function needsNoClaim(pod: Pod, { name }: PodResourceClaim): boolean {
  const known = pod.status?.resourceClaimStatuses?.find((status) => status.name === name);
  return known !== undefined && known.resourceClaimName === undefined;
}

/** The keys of all claims that a pod uses. */
export function claimKeysOf(pod: Pod): string[] {
  return (pod.spec?.resourceClaims ?? []).flatMap((wanted) => {
    const name = claimNameOf(pod, wanted);
    return name === undefined ? [] : [`${pod.metadata.namespace}/${name}`];
  });
}

/** The claim of a template for a pod, which owns it. */
export function claimFor(
  pod: Pod,
  wanted: PodResourceClaim,
  template: ResourceClaimTemplate,
): ResourceClaim {
  const { labels, annotations } = template.spec.metadata ?? {};
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      name: '',
      generateName: baseName(pod.metadata.name, wanted.name),
      namespace: pod.metadata.namespace,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [podClaimAnnotation]: wanted.name },
      ownerReferences: [controllerReference(pod)],
    },
    spec: template.spec.spec,
  };
}

/** Cuts both names alike where they are too long together, so that something of each is left. */
function baseName(podName: string, claimName: string): string {
  const whole = `${podName}-${claimName}-`;
  if (whole.length <= maxBaseLength) return whole;
  const cut = (text: string): string =>
    text.slice(0, Math.floor((text.length * maxBaseLength) / whole.length));
  return `${cut(podName)}-${cut(claimName)}`;
}

/** The claim that was made for the pod's wish before, also when its status does not say so. */
export function madeBefore(
  claims: readonly ResourceClaim[],
  pod: Pod,
  wanted: PodResourceClaim,
): ResourceClaim | undefined {
  return claims.find(
    (claim) =>
      controllerOf(claim)?.uid === pod.metadata.uid &&
      claim.metadata.annotations?.[podClaimAnnotation] === wanted.name,
  );
}

/** None of its containers runs, or ever will. */
export function isPodDone(pod: Pod): boolean {
  return isPodFinished(pod) || (isDeleting(pod) && (pod.spec?.nodeName ?? '') === '');
}

/** Whether an allocated claim still has to be reserved for the pod, and can be. */
export function wantsReservation(claim: ResourceClaim, pod: Pod): boolean {
  const { allocation, reservedFor = [] } = claim.status ?? {};
  if (allocation === undefined || reservedFor.length >= maxReservations) return false;
  return !reservedFor.some(({ uid }) => uid === pod.metadata.uid);
}
