import type { FieldError } from '../field-error.ts';
import { ErrorList } from './error-list.ts';
import { metadataPath } from './field-path.ts';
import { checkAnnotations, checkLabels } from './shared/object-meta.ts';
import type { StringMap } from './unchecked.ts';

/** What is wrong with labels that do not come from a request: those of a converted object. */
export function labelErrors(labels: StringMap): readonly FieldError[] {
  const errors = new ErrorList();
  checkLabels(errors, metadataPath, 'labels', labels);
  return errors.errors;
}

/** The same for annotations. */
export function annotationErrors(annotations: StringMap): readonly FieldError[] {
  const errors = new ErrorList();
  checkAnnotations(errors, metadataPath, 'annotations', annotations);
  return errors.errors;
}
