/** What a call costs when it runs: Kubernetes' estimator first, then cel-go's own rules. */
import { costSize, traversalCost } from '../values/size.ts';
import { CelAbstract, type CelValue } from '../values/value.ts';
import { CelList } from '../values/list.ts';

/** From the first two arguments (the target first) and the result. */
export type RuntimeCost = (a: CelValue, b: CelValue, result: CelValue) => number;

const traversalFactor = 0.1;
const regexFactor = 0.25;
/** An authorization check: two fit into one expression. */
const checkCost = 350_000;

const one: RuntimeCost = () => 1;
const walk: RuntimeCost = (a) => Math.ceil(costSize(a) * traversalFactor);
const walkTwice: RuntimeCost = (a) => Math.ceil(costSize(a) * 2 * traversalFactor);
const smaller: RuntimeCost = (a, b) =>
  Math.ceil(Math.min(costSize(a), costSize(b)) * traversalFactor);
const both: RuntimeCost = (a, b) => Math.ceil((costSize(a) + costSize(b)) * traversalFactor);
const regex: RuntimeCost = (a, b) =>
  Math.ceil((1 + costSize(a)) * traversalFactor) * Math.ceil(costSize(b) * regexFactor);

const selector: RuntimeCost = (_a, b) => {
  const size = costSize(b);
  return 10 + Math.ceil(size * traversalFactor) + Math.ceil(Math.ceil(size * 0.5) * 50);
};

function equality(isEqual: boolean): RuntimeCost {
  return (a, b) => (isEqual && a instanceof CelAbstract ? 1 : smaller(a, b, null));
}

function containsIp(isText: boolean): RuntimeCost {
  return (a, b) =>
    Math.ceil(costSize(a) * 2 * traversalFactor) +
    (isText ? Math.ceil(costSize(b) * traversalFactor) : 0);
}

function containsCidr(isText: boolean): RuntimeCost {
  const inner = containsIp(isText);
  return (a, b, result) => inner(a, b, result) + Math.ceil(costSize(a) * traversalFactor) + 1;
}

const validate: RuntimeCost = (format, text) => {
  const patternSize = (format as { maxRegexSize?: number } | null)?.maxRegexSize ?? 0;
  return Math.ceil((1 + costSize(text)) * traversalFactor) * Math.ceil(patternSize * regexFactor);
};

const byFunction: Readonly<Record<string, RuntimeCost>> = {
  check: () => checkCost,
  fieldSelector: selector,
  labelSelector: selector,
  isSorted: (a) => traversalCost(a),
  sum: (a) => traversalCost(a),
  max: (a) => traversalCost(a),
  min: (a) => traversalCost(a),
  indexOf: (a) => traversalCost(a),
  lastIndexOf: (a) => traversalCost(a),
  url: walk,
  lowerAscii: walk,
  upperAscii: walk,
  substring: walk,
  trim: walk,
  'jsonpatch.escapeKey': walk,
  replace: walkTwice,
  split: walkTwice,
  join: (_a, _b, result) => walkTwice(result, null, null),
  find: regex,
  findAll: regex,
  cidr: walk,
  isIP: walk,
  isCIDR: walk,
  'ip.isCanonical': walkTwice,
  quantity: walk,
  isQuantity: walk,
  semver: walk,
  isSemver: walk,
  validate,
};

function selfCompare(list: CelValue): number {
  const size = costSize(list);
  const element = list instanceof CelList && size > 0 ? list.at(0) : null;
  const isText = typeof element === 'string' || element instanceof Uint8Array;
  return Math.floor(size * size * (isText ? 2 + traversalFactor : 2)) + 11;
}

const outputSize: RuntimeCost = (_a, _b, result) => costSize(result) + 11;

const byOverload: Readonly<Record<string, RuntimeCost>> = {
  ip_is_canonical: walkTwice,
  string_to_ip: walk,
  cidr_contains_ip_string: containsIp(true),
  cidr_contains_ip_ip: containsIp(false),
  cidr_contains_cidr_string: containsCidr(true),
  cidr_contains_cidr: containsCidr(false),
  starts_with_string: walk,
  ends_with_string: walk,
  string_to_bytes: walk,
  bytes_to_string: walk,
  strings_quote: walk,
  string_format: walk,
  in_list: (_a, b) => costSize(b),
  add_string: both,
  add_bytes: both,
  matches_string: regex,
  contains_string: (a, b) => walk(a, null, null) * walk(b, null, null),
  list_sets_contains_list: (a, b) => costSize(a) * costSize(b) + 1,
  list_sets_intersects_list: (a, b) => costSize(a) * costSize(b) + 1,
  list_sets_equivalent_list: (a, b) => costSize(a) * costSize(b) * 2 + 1,
  list_slice: outputSize,
  lists_range: outputSize,
  list_reverse: outputSize,
  list_distinct: (a) => selfCompare(a),
  list_flatten: (a) => costSize(a) + 11,
  list_flatten_int: (a, b) => costSize(a) * Math.max(0, Number(b)) + 11,
};

const order = /^(less|greater)(_equals)?_(string|bytes)$/;

/** `overloadId` is empty when several overloads may apply. */
export function runtimeCostOf(name: string, overloadId: string): RuntimeCost {
  if (name === '_==_') return equality(true);
  if (name === '_!=_') return equality(false);
  const known = byFunction[name] ?? byOverload[overloadId];
  if (known !== undefined) return known;
  if (order.test(overloadId)) return smaller;
  if (/^list_\w+_sort$/.test(overloadId)) return (a) => selfCompare(a);
  if (overloadId.endsWith('_sortByAssociatedKeys')) return (_a, b) => selfCompare(b);
  return one;
}
