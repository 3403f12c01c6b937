/**
 * Label and field selectors: read from query text or from a LabelSelector object, compiled once,
 * matched often. Which fields a kind may be selected by is not known here. Start reading at
 * requirement.ts, then label-parser.ts.
 */
export type { Operator, Requirement, Selector } from './requirement.ts';
export type { LabelSelector } from './label-selector.ts';
export {
  createLabelSelector,
  everything,
  labelSelectorFrom,
  nothing,
  parseLabelSelector,
} from './label-selector.ts';
export type { FieldSelector } from './field-selector.ts';
export { escapeFieldValue, parseFieldSelector } from './field-selector.ts';
export { labelKeyErrors, labelValueErrors } from './label-syntax.ts';
