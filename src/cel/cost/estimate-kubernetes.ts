/** Estimates of Kubernetes' own functions, after k8s.io/apiserver/pkg/cel/library/cost.go. */
import { sameType } from '../check/type.ts';
import type { Expr } from '../source/ast.ts';
import { type Call, type CallEstimate, regexCost } from './call-estimate.ts';
import type { Estimator } from './estimator.ts';
import {
  addRanges,
  type CostRange,
  fixed,
  largestCost,
  multiplyRanges,
  scaleRange,
  unionRanges,
  unknownSize,
} from './range.ts';

const traversalFactor = 0.1;
const regexFactor = 0.25;
/** Longest pattern of a named format, and the longest name of one. */
const longestFormatRegex = 128;
const longestFormatName = 64;
/** Bytes of an IPv4 and of an IPv6 address. */
const addressSize: CostRange = { min: 4n, max: 16n };

const nominal = new Set([
  'serviceAccount',
  'path',
  'group',
  'resource',
  'subresource',
  'namespace',
  'name',
  'allowed',
  'reason',
  'error',
  'errored',
  'masked',
  'prefixLength',
  'family',
  'isUnspecified',
  'isLoopback',
  'isLinkLocalMulticast',
  'isLinkLocalUnicast',
  'isGlobalUnicast',
  'format.named',
  'sign',
  'asInteger',
  'isInteger',
  'asApproximateFloat',
  'isGreaterThan',
  'isLessThan',
  'compareTo',
  'add',
  'sub',
  'major',
  'minor',
  'patch',
  'getScheme',
  'getHostname',
  'getHost',
  'getPort',
  'getEscapedPath',
  'getQuery',
]);

/** Functions that read their argument once. */
const parsers = new Set([
  'cidr',
  'isIP',
  'isCIDR',
  'ip',
  'quantity',
  'isQuantity',
  'semver',
  'isSemver',
]);

function walk(size: CostRange): CostRange {
  return scaleRange(size, traversalFactor);
}

function elementSize(of: Estimator, list: Expr): CostRange {
  const path = of.pathOf(list);
  const isRooted = path !== undefined && path.length > 0;
  return (isRooted ? of.declaredSize([...path, '@items']) : undefined) ?? unknownSize;
}

function selector(length: CostRange): CostRange {
  const requirements = scaleRange(scaleRange(length, 0.5), 50);
  return addRanges(fixed(10), walk(length), requirements);
}

function search(of: Estimator, target: Expr): CallEstimate {
  const size = of.sizeOrUnknown(target);
  const element = target.type?.params[0];
  if (element === undefined) return { cost: walk(size) };
  let cost = fixed(1);
  if (element.kind === 'string' || element.kind === 'bytes') {
    cost = addRanges(cost, walk(elementSize(of, target)));
  }
  return { cost: multiplyRanges(size, cost) };
}

function ceilDivide(a: bigint, b: bigint): bigint {
  return BigInt(Math.ceil(Number(a) / Number(b)));
}

function replaced(text: CostRange, from: CostRange, to: CostRange): CostRange {
  let maxCount = 0n;
  let maxRetained = 0n;
  if (from.min === 0n) {
    maxCount = text.max < largestCost ? text.max + 1n : text.max;
    maxRetained = text.max;
  } else if (to.max <= from.min) {
    maxRetained = text.max;
  } else {
    maxCount = ceilDivide(text.max, from.min);
  }
  let minCount = 0n;
  let minRetained = 0n;
  if (from.max === 0n) {
    minCount = text.min < largestCost ? text.min + 1n : text.min;
    minRetained = text.min;
  } else if (from.max <= to.min) {
    minRetained = text.min;
  } else {
    minCount = ceilDivide(text.min, from.max);
  }
  const product = multiplyRanges({ min: minCount, max: maxCount }, to);
  return addRanges(product, { min: minRetained, max: maxRetained });
}

function joined(of: Estimator, target: Expr, separator: Expr | undefined): CallEstimate {
  const count = of.sizeOrUnknown(target);
  let size = multiplyRanges(count, elementSize(of, target));
  if (separator !== undefined) {
    const separators = {
      min: count.min > 0n ? count.min - 1n : 0n,
      max: count.max > 0n ? count.max - 1n : 0n,
    };
    size = addRanges(size, multiplyRanges(of.sizeOrUnknown(separator), separators));
  }
  return { cost: walk(size), size };
}

function contains(of: Estimator, { id, name, args }: Call): CallEstimate {
  const parts = [walk(addRanges(addressSize, addressSize))];
  if (name === 'containsCIDR') parts.push(walk(addressSize), fixed(1));
  const [other] = args;
  if (id.endsWith('_string') && other !== undefined) parts.push(walk(of.sizeOrUnknown(other)));
  return { cost: addRanges(...parts) };
}

function equality(of: Estimator, { args }: Call): CallEstimate | undefined {
  const [left, right] = args;
  const type = left?.type;
  if (type === undefined || right?.type === undefined) return undefined;
  if (!sameType(type, right.type)) return undefined;
  if (type.name === 'net.IP' || type.name === 'net.CIDR') return { cost: fixed(1) };
  if (type.kind !== 'struct' || type.declared !== undefined) return undefined;
  if (type.name === 'kubernetes.NamedFormat') {
    return { cost: walk({ min: 1n, max: BigInt(longestFormatName) }) };
  }
  if (type.name === 'kubernetes.URL') {
    const size = of.sizeOf(right);
    const known = size === undefined ? fixed(1) : unionRanges(size, size);
    return { cost: walk({ min: 1n, max: known.max }) };
  }
  return type.name.startsWith('kubernetes.') ? { cost: fixed(1) } : undefined;
}

function ofTarget(of: Estimator, call: Call, target: Expr): CallEstimate | undefined {
  const size = of.sizeOrUnknown(target);
  const [first, second] = call.args;
  switch (call.name) {
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
      return search(of, target);
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return { cost: walk(size), size };
    case 'replace': {
      if (first === undefined || second === undefined) return undefined;
      const result = replaced(size, of.sizeOrUnknown(first), of.sizeOrUnknown(second));
      return { cost: scaleRange(size, 2 * traversalFactor), size: result };
    }
    case 'split': {
      const limit = second?.kind === 'literal' ? second.literal : undefined;
      const max = limit?.kind === 'int' ? BigInt.asUintN(64, limit.value) : size.max;
      return { cost: scaleRange(size, 2 * traversalFactor), size: { min: 0n, max } };
    }
    case 'join':
      return joined(of, target, first);
    case 'find':
    case 'findAll':
      if (first === undefined) return undefined;
      return {
        cost: regexCost(size, of.sizeOrUnknown(first)),
        size: { min: 0n, max: size.max },
      };
    case 'ip':
      return { cost: fixed(1) };
    case 'containsIP':
    case 'containsCIDR':
      return contains(of, call);
    case 'validate':
      if (first === undefined) return undefined;
      return {
        cost: scaleRange(walk(of.sizeOrUnknown(first)), longestFormatRegex * regexFactor),
      };
    case 'fieldSelector':
    case 'labelSelector':
      return first && { cost: selector(of.sizeOrUnknown(first)) };
    default:
      return undefined;
  }
}

export function estimateKubernetesCall(of: Estimator, call: Call): CallEstimate | undefined {
  const { name, target, args } = call;
  if (name === 'check') return { cost: fixed(350_000) };
  if (nominal.has(name)) return { cost: fixed(1) };
  if (name === '_==_') return equality(of, call);
  if (target !== undefined) return ofTarget(of, call, target);
  const [first] = args;
  if (first === undefined) return undefined;
  if (parsers.has(name)) return { cost: walk(of.sizeOrUnknown(first)) };
  if (name === 'ip.isCanonical') {
    return { cost: scaleRange(of.sizeOrUnknown(first), 2 * traversalFactor) };
  }
  if (name === 'url' || name === 'jsonpatch.escapeKey') {
    const size = of.sizeOrUnknown(first);
    return { cost: walk(size), size };
  }
  return undefined;
}
