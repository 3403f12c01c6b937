import { parseGroupVersion } from '#schema/mod.ts';
import type { Review } from './admission-review.ts';

/** metav1.Status as a webhook may send it with a refusal. */
export interface WebhookStatus {
  readonly code?: number;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: Record<string, unknown>;
  readonly metadata?: Record<string, unknown>;
}

/** What a webhook decided; checked. */
export interface WebhookVerdict {
  readonly isAllowed: boolean;
  readonly status: WebhookStatus | undefined;
  /** JSON text of a JSON patch; absent when nothing is to be changed. */
  readonly patch: string | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

interface ReviewAnswer {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly allowed?: unknown;
    readonly status?: WebhookStatus;
    readonly patch?: unknown;
    readonly patchType?: unknown;
    readonly warnings?: unknown;
    readonly auditAnnotations?: unknown;
  } | null;
}

/** Reads the answer to a review; throws an Error with upstream's text for one that is not valid. */
export function readAnswer(value: unknown, review: Review, isMutating: boolean): WebhookVerdict {
  const answer = (value ?? {}) as ReviewAnswer;
  const { response } = answer;
  if (response === undefined || response === null) throw new Error('webhook response was absent');
  const isFirstVersion = review.apiVersion === 'admission.k8s.io/v1';
  checkKind(answer, review, isFirstVersion);
  const { uid } = response;
  if (isFirstVersion && uid !== review.uid) {
    throw new Error(
      `expected response.uid=${JSON.stringify(review.uid)}, got ${JSON.stringify(uid ?? '')}`,
    );
  }
  const patch = typeof response.patch === 'string' ? response.patch : '';
  const type = typeof response.patchType === 'string' ? response.patchType : undefined;
  if (isFirstVersion) checkPatch(patch, type, isMutating);
  return {
    isAllowed: response.allowed === true,
    status: response.status ?? undefined,
    patch: patch === '' || !isMutating ? undefined : Buffer.from(patch, 'base64').toString(),
    warnings: strings(response.warnings),
    auditAnnotations: stringFields(response.auditAnnotations),
  };
}

/** The first version insists on its own name; the older one takes an answer without any. */
function checkKind(answer: ReviewAnswer, review: Review, isFirstVersion: boolean): void {
  const { apiVersion = '', kind = '' } = answer;
  const isUnnamed = apiVersion === '' && kind === '';
  if (!isFirstVersion && isUnnamed) return;
  if (apiVersion === review.apiVersion && kind === 'AdmissionReview') return;
  const { group, version } = parseGroupVersion(String(apiVersion));
  const wanted = `${review.apiVersion}, Kind=AdmissionReview`;
  throw new Error(
    `expected webhook response of ${wanted}, got ${group}/${version}, Kind=${String(kind)}`,
  );
}

function checkPatch(patch: string, type: string | undefined, isMutating: boolean): void {
  if (!isMutating) {
    if (patch !== '') throw new Error('validating webhook may not return response.patch');
    if (type !== undefined) {
      throw new Error('validating webhook may not return response.patchType');
    }
    return;
  }
  if (patch !== '' && type === undefined) {
    throw new Error('webhook returned response.patch but not response.patchType');
  }
  if (patch === '' && type !== undefined) {
    throw new Error('webhook returned response.patchType but not response.patch');
  }
  if (patch !== '' && type !== 'JSONPatch') {
    throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(type)}`);
  }
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function stringFields(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (field): field is [string, string] => typeof field[1] === 'string',
    ),
  );
}
