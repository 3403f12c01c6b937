import { isDeepStrictEqual } from 'node:util';

type Fields = Record<string, unknown>;

/** Lists that are merged by a key of their elements, by the names of their fields. */
const mergeKeys: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

/**
 * The strategic merge patch that helm and `kubectl apply` send: what `modified` says otherwise than
 * the live object, and the removal of what `original` said and `modified` does not. What others
 * added to the live object stays.
 */
export function threeWayPatch(original: Fields, modified: Fields, live: Fields): Fields {
  const removals = difference(original, modified, 'removals');
  const changes = difference(live, modified, 'changes');
  return joined(removals, changes);
}

/** The same as a JSON merge patch, for kinds whose lists have no keys: custom resources. */
export function threeWayJsonPatch(original: Fields, modified: Fields, live: Fields): Fields {
  const removals = difference(original, modified, 'removals', {});
  return joined(removals, difference(live, modified, 'changes', {}), {});
}

function difference(
  from: Fields,
  to: Fields,
  part: 'changes' | 'removals',
  keys: typeof mergeKeys = mergeKeys,
): Fields {
  const patch: Fields = {};
  for (const [name, value] of Object.entries(to)) {
    const old = from[name];
    if (isFields(old) && isFields(value)) {
      const inner = difference(old, value, part, keys);
      if (Object.keys(inner).length > 0) patch[name] = inner;
    } else if (Array.isArray(old) && Array.isArray(value) && keys[name] !== undefined) {
      Object.assign(patch, listDifference(name, old as Fields[], value as Fields[], part));
    } else if (part === 'changes' && !isDeepStrictEqual(old, value)) {
      patch[name] = value;
    }
  }
  if (part === 'removals') {
    for (const name of Object.keys(from)) if (!(name in to)) patch[name] = null;
  }
  return patch;
}

function listDifference(
  name: string,
  from: readonly Fields[],
  to: readonly Fields[],
  part: 'changes' | 'removals',
): Fields {
  const key = mergeKeys[name] ?? '';
  const find = (list: readonly Fields[], wanted: Fields): Fields | undefined =>
    list.find((one) => one[key] === wanted[key]);
  const items: Fields[] = [];
  for (const item of to) {
    const old = find(from, item);
    const inner = old === undefined ? {} : difference(old, item, part);
    if (old === undefined && part === 'changes') items.push(item);
    if (Object.keys(inner).length > 0) items.push({ [key]: item[key], ...inner });
  }
  if (part === 'removals') {
    for (const item of from) {
      if (find(to, item) === undefined) items.push({ $patch: 'delete', [key]: item[key] });
    }
  }
  if (items.length === 0) return {};
  const order = to.map((item) => ({ [key]: item[key] }));
  return { [`$setElementOrder/${name}`]: order, [name]: items };
}

function joined(first: Fields, second: Fields, keys: typeof mergeKeys = mergeKeys): Fields {
  const result: Fields = { ...first };
  for (const [name, value] of Object.entries(second)) {
    const old = result[name];
    const key = keys[name];
    if (isFields(old) && isFields(value)) result[name] = joined(old, value, keys);
    else if (Array.isArray(old) && Array.isArray(value) && key !== undefined) {
      const rest = (value as Fields[]).filter(
        (item) => !(old as Fields[]).some((one) => one[key] === item[key]),
      );
      const both = (old as Fields[]).map((one) => {
        const other = (value as Fields[]).find((item) => item[key] === one[key]);
        return other === undefined ? one : joined(one, other, keys);
      });
      result[name] = [...both, ...rest];
    } else result[name] = value;
  }
  return result;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
