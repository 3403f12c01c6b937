import type { AdmissionAttributes } from '../plugin.ts';
import type { PolicyBinding } from './policy-kinds.ts';

/** Longest value of an audit annotation, in bytes. */
const maxValueBytes = 10 * 1024;

/** Audit annotations of one policy for one request: different values of one key are listed. */
export class AnnotationCollector {
  readonly #policy: string;
  readonly #values = new Map<string, Set<string>>();

  constructor(policy: string) {
    this.#policy = policy;
  }

  add(key: string, value: string): void {
    const cut = Buffer.byteLength(value) > maxValueBytes;
    const short = cut ? Buffer.from(value).subarray(0, maxValueBytes).toString() : value;
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, new Set([short]));
    else known.add(short);
  }

  publish({ context }: AdmissionAttributes): void {
    for (const [key, values] of this.#values) {
      context.trail?.annotate(`${this.#policy}/${key}`, [...values].join(', '));
    }
  }
}

/** What the action Audit writes of a validation that failed. */
export function noteFailure(
  { context }: AdmissionAttributes,
  { metadata, spec }: PolicyBinding,
  expressionIndex: number,
  message: string,
): void {
  const failure = {
    message,
    policy: spec?.policyName ?? '',
    binding: metadata.name,
    expressionIndex,
    validationActions: spec?.validationActions ?? [],
  };
  const key = 'validation.policy.admission.k8s.io/validation_failure';
  context.trail?.annotate(key, JSON.stringify([failure]));
}
