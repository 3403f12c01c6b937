import { quantityToNumber } from '#base/quantity.ts';
import type { LimitRange, LimitRangeItem } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { compareQuantities, quantityOfText } from '../shared/quantities.ts';
import {
  checkContainerResourceName,
  checkResourceName,
  mayOvercommit,
} from '../shared/resource-names.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

type Item = Unchecked<LimitRangeItem>;

const standardTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];

export const limitRangeRules: KindRules<LimitRange> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec }) {
    const seen = new Set<string>();
    (spec?.limits ?? []).forEach((item, index) => {
      const path = specPath.child('limits').at(index);
      const { type = '' } = item;
      checkFormat(errors, path, 'type', type, labelKeyErrors);
      if (!type.includes('/') && !standardTypes.includes(type)) {
        const detail = 'must be a standard limit type or fully qualified';
        errors.invalid(path, 'type', type, detail);
      }
      if (seen.has(type)) errors.duplicate(path, 'type', type);
      seen.add(type);
      checkItem(errors, path, item);
    });
  },
};

function checkItem(errors: ErrorList, path: FieldPath, item: Item): void {
  const { type } = item;
  checkNames(errors, path, item, ['max', 'min']);
  if (type === 'Pod') {
    for (const field of ['default', 'defaultRequest'] as const) {
      if (isEmpty(item[field])) continue;
      errors.forbidden(path, field, "may not be specified when `type` is 'Pod'");
    }
  } else checkNames(errors, path, item, ['default', 'defaultRequest']);
  if (type === 'PersistentVolumeClaim') {
    if (item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
      const detail =
        'either minimum or maximum storage value is required, but neither was provided';
      errors.required(path, 'limits', detail);
    }
  }
  checkNames(errors, path, item, ['maxLimitRequestRatio']);
  for (const name of namesOf(item)) checkAmounts(errors, path, item, name);
}

const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function checkNames(
  errors: ErrorList,
  path: FieldPath,
  item: Item,
  fields: ReadonlyArray<(typeof lists)[number]>,
): void {
  const isComputing = item.type === 'Pod' || item.type === 'Container';
  const check = isComputing ? checkContainerResourceName : checkResourceName;
  for (const field of fields) {
    for (const name in item[field]) check(errors, path.child(field).key(name), '', name);
  }
}

function namesOf(item: Item): Set<string> {
  return new Set(lists.flatMap((field) => Object.keys(item[field] ?? {})));
}

/** Minimum, default request, default and maximum stand in this order. */
function checkAmounts(errors: ErrorList, path: FieldPath, item: Item, name: string): void {
  const min = item.min?.[name];
  const max = item.max?.[name];
  const request = item.defaultRequest?.[name];
  const limit = item.default?.[name];
  const order = (
    field: string,
    [low, lowText]: readonly [string | undefined, string],
    [high, highText]: readonly [string | undefined, string],
    value: string | undefined,
  ): void => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    const detail = `${lowText} value ${low} is greater than ${highText} value ${high}`;
    errors.invalid(path.child(field).key(name), '', value, detail);
  };
  order('min', [min, 'min'], [max, 'max'], min);
  order('defaultRequest', [min, 'min'], [request, 'default request'], request);
  order('defaultRequest', [request, 'default request'], [max, 'max'], request);
  order('defaultRequest', [request, 'default request'], [limit, 'default limit'], request);
  order('default', [min, 'min'], [limit, 'default'], min);
  order('default', [limit, 'default'], [max, 'max'], max);
  checkRatio(errors, path, item, name);
  if (mayOvercommit(name) || limit === undefined || request === undefined) return;
  if (compareQuantities(limit, request) === 0) return;
  const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  errors.invalid(path.child('defaultRequest').key(name), '', limit, detail);
}

function checkRatio(errors: ErrorList, path: FieldPath, item: Item, name: string): void {
  const ratio = item.maxLimitRequestRatio?.[name];
  if (ratio === undefined) return;
  const at = path.child('maxLimitRequestRatio').key(name);
  if (compareQuantities(ratio, '1') < 0) {
    errors.invalid(at, '', ratio, `ratio ${ratio} is less than 1`);
  }
  const min = item.min?.[name];
  const max = item.max?.[name];
  if (min === undefined || max === undefined) return;
  const low = quantityToNumber(quantityOfText(min));
  const widest = quantityToNumber(quantityOfText(max)) / low;
  if (low === 0 || quantityToNumber(quantityOfText(ratio)) <= widest) return;
  const detail = `ratio ${ratio} is greater than max/min = ${widest.toFixed(6)}`;
  errors.invalid(at, '', ratio, detail);
}
