import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  ObjectMeta,
  ResourceAttributes,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../../generated/types.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import { checkEachFormat, checkFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath, specPath } from '../field-path.ts';
import type { KindRules } from '../kind-rules.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

type Spec = Unchecked<SubjectAccessReviewSpec>;

/** What review endpoints check of their bodies; their answers are never stored. */
export const subjectAccessReviewRules: KindRules<SubjectAccessReview> = {
  isReview: true,
  create(errors, { metadata, spec = {} }) {
    checkSpec(errors, spec, true);
    checkNoMetadata(errors, metadata, []);
  },
};

export const selfSubjectAccessReviewRules: KindRules<SelfSubjectAccessReview> = {
  isReview: true,
  create(errors, { metadata, spec = {} }) {
    checkSpec(errors, spec, false);
    checkNoMetadata(errors, metadata, []);
  },
};

export const localSubjectAccessReviewRules: KindRules<LocalSubjectAccessReview> = {
  isReview: true,
  create(errors, { metadata, spec = {} }) {
    checkSpec(errors, spec, true);
    checkNoMetadata(errors, metadata, ['namespace']);
    const { resourceAttributes, nonResourceAttributes } = spec;
    const namespace = resourceAttributes?.namespace ?? '';
    if (resourceAttributes !== undefined && namespace !== (metadata?.namespace ?? '')) {
      const detail = 'must match metadata.namespace';
      errors.invalid(specPath, 'resourceAttributes.namespace', namespace, detail);
    }
    if (nonResourceAttributes === undefined) return;
    const detail = 'disallowed on this kind of request';
    errors.invalid(specPath, 'nonResourceAttributes', nonResourceAttributes, detail);
  },
};

function checkSpec(errors: ErrorList, spec: Spec, needsSubject: boolean): void {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = 'cannot be specified in combination with resourceAttributes';
    errors.invalid(specPath, 'nonResourceAttributes', nonResourceAttributes, detail);
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.invalid(specPath, 'resourceAttributes', null, detail);
  }
  if (needsSubject && (spec.user ?? '') === '' && isEmpty(spec.groups)) {
    errors.invalid(specPath, 'user', '', 'at least one of user or group must be specified');
  }
  if (resourceAttributes !== undefined) {
    checkAttributes(errors, specPath.child('resourceAttributes'), resourceAttributes);
  }
}

function checkNoMetadata(
  errors: ErrorList,
  metadata: Unchecked<ObjectMeta> | undefined,
  allowed: readonly string[],
): void {
  const rest = Object.entries(metadata ?? {}).filter(
    ([field, value]) => !isEmpty(value) && field !== 'managedFields' && !allowed.includes(field),
  );
  if (rest.length === 0) return;
  const but = allowed.length === 0 ? '' : ` except for ${allowed.join(', ')}`;
  errors.invalid(rootPath, 'metadata', metadata, `must be empty${but}`);
}

function checkAttributes(
  errors: ErrorList,
  path: FieldPath,
  { fieldSelector, labelSelector }: Unchecked<ResourceAttributes>,
): void {
  if (fieldSelector !== undefined) {
    const at = path.child('fieldSelector');
    checkRequirements(errors, at, fieldSelector, 'fieldSelector', (place, key) => {
      requireText(errors, place, 'key', key, 'must be specified');
    });
  }
  if (labelSelector === undefined) return;
  const at = path.child('labelSelector');
  checkRequirements(errors, at, labelSelector, 'labelSelector', (place, key, values) => {
    checkFormat(errors, place, 'key', key, labelKeyErrors);
    checkEachFormat(errors, place.child('values'), values, labelValueErrors);
  });
}

function checkRequirements(
  errors: ErrorList,
  path: FieldPath,
  selector: Unchecked<FieldSelectorAttributes | LabelSelectorAttributes>,
  field: string,
  checkKey: (place: FieldPath, key: string | undefined, values: readonly string[]) => void,
): void {
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector !== '' && requirements.length > 0) {
    const detail = 'may not specified at the same time as requirements';
    errors.invalid(path, 'rawSelector', rawSelector, detail);
  }
  if (rawSelector === '' && requirements.length === 0) {
    const detail = `when spec.resourceAttributes.${field} is specified, requirements or rawSelector is required`;
    errors.required(path, 'requirements', detail);
  }
  requirements.forEach(({ key, operator = '', values = [] }, index) => {
    const at = path.child('requirements').at(index);
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (field === 'fieldSelector') checkKey(at, key, values);
    if (wantsValues && values.length === 0) {
      errors.required(at, 'values', "must be specified when `operator` is 'In' or 'NotIn'");
    } else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.forbidden(at, 'values', detail);
    }
    if (field === 'labelSelector') checkKey(at, key, values);
  });
}
