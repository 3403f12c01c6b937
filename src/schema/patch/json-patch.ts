import { ApiStatusError } from '#base/api-status-error.ts';
import { jsonEqual } from './json-equal.ts';
import {
  badRequest,
  isFields,
  jsonTypeName,
  ownField,
  setField,
  unprocessable,
} from './patch-errors.ts';
import type { Fields } from './patch-errors.ts';

const maxOperations = 10_000;
/** What all copy operations together may add, so that copies of copies cannot fill the memory. */
const maxCopiedBytes = 3 * 1024 * 1024;

type Container = Fields | unknown[];

/** One run over a document: containers are copied when they are first written to. */
class Draft {
  root: unknown;
  readonly #owned = new Set<object>();
  #copiedBytes = 0;

  constructor(root: unknown) {
    this.root = root;
  }

  add(pointer: string, value: unknown): void {
    const [parent, last] = this.#parentOf(pointer);
    // upstream's parser replaces the document, but does not add it
    if (parent === undefined) throw offTheWay();
    if (!Array.isArray(parent)) setField(parent, last, value);
    else parent.splice(last === '-' ? parent.length : placeIn(parent, last), 0, value);
  }

  remove(pointer: string): void {
    const [parent, last] = this.#parentOf(pointer);
    if (parent === undefined) throw offTheWay();
    if (Array.isArray(parent)) parent.splice(indexIn(parent, last), 1);
    else if (Object.hasOwn(parent, last)) delete parent[last];
    else throw new Misfit(`Unable to remove nonexistent key: ${last}: ${missingValue}`);
  }

  replace(pointer: string, value: unknown): void {
    const [parent, last] = this.#parentOf(pointer);
    if (parent === undefined) this.root = value;
    else if (Array.isArray(parent)) parent[indexIn(parent, last)] = value;
    else if (Object.hasOwn(parent, last)) setField(parent, last, value);
    else throw nonexistent(last);
  }

  copy(value: unknown, to: string): void {
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > maxCopiedBytes) {
      throw unprocessable(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      );
    }
    // Two places share the value now, so neither may be written to without a copy.
    this.#owned.clear();
    this.add(to, value);
  }

  /** The value of a place; throws Misfit without one. */
  existing(pointer: string): unknown {
    const steps = parsePointer(pointer);
    const last = steps.pop();
    if (last === undefined) return this.root;
    let parent: unknown = this.root;
    for (const step of steps) parent = childOnTheWay(parent, step);
    if (Array.isArray(parent)) return parent[indexIn(parent, last)];
    if (!isFields(parent)) throw offTheWay();
    const value = ownField(parent, last);
    if (value === undefined) throw nonexistent(last);
    return value;
  }

  /** The container of a place, ready to be written to; undefined for the document itself. */
  #parentOf(pointer: string): [Container | undefined, string] {
    const steps = parsePointer(pointer);
    const last = steps.pop();
    if (last === undefined) return [undefined, ''];
    let at = this.#own(this.root);
    this.root = at;
    for (const step of steps) {
      const child = this.#own(childOnTheWay(at, step));
      if (Array.isArray(at)) at[indexIn(at, step)] = child;
      else setField(at, step, child);
      at = child;
    }
    return [at, last];
  }

  #own(value: unknown): Container {
    if (typeof value !== 'object' || value === null) throw offTheWay();
    if (this.#owned.has(value)) return value as Container;
    const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Fields) };
    this.#owned.add(copy);
    return copy;
  }
}

const missingValue = 'missing value';

/** Why an operation does not fit: there is no way to its place, or something is wrong there. */
class Misfit extends Error {
  /** Undefined: there is no container at the end of the path. */
  readonly detail: string | undefined;

  constructor(detail: string | undefined) {
    super(detail ?? missingValue);
    this.detail = detail;
  }
}

function offTheWay(): Misfit {
  return new Misfit(undefined);
}

function nonexistent(key: string): Misfit {
  return new Misfit(`unable to get nonexistent key: ${key}: ${missingValue}`);
}

function childOnTheWay(value: unknown, step: string): unknown {
  if (!Array.isArray(value)) return isFields(value) ? ownField(value, step) : undefined;
  try {
    return value[indexIn(value, step)];
  } catch {
    throw offTheWay();
  }
}

/** Upstream's parser also counts from the end: -1 is the last item. */
function indexIn(list: readonly unknown[], step: string): number {
  return checkedIndex(step, list.length);
}

/** Where a new item goes. */
function placeIn(list: readonly unknown[], step: string): number {
  if (!/^-?[0-9]+$/.test(step)) {
    throw new Misfit(`value was not a proper array index: '${step}': ${notANumber(step)}`);
  }
  return checkedIndex(step, list.length + 1);
}

function checkedIndex(step: string, count: number): number {
  if (!/^-?[0-9]+$/.test(step)) throw new Misfit(notANumber(step));
  const given = Number(step);
  const index = given < 0 ? given + count : given;
  if (index >= 0 && index < count) return index;
  throw new Misfit(`Unable to access invalid index: ${given}: invalid index referenced`);
}

function notANumber(step: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`;
}

function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw offTheWay();
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function textOf(operation: Fields, name: string): string {
  const text = operation[name];
  if (typeof text === 'string') return text;
  const what = String(operation['op']);
  throw unprocessable(`${what} operation failed to decode ${name}: ${missingValue}`);
}

/** A value that must be given; null is one. */
function valueOf(operation: Fields): unknown {
  if (operation['value'] === undefined) throw unprocessable('value is missing');
  return operation['value'];
}

/** Does one step of an operation; what does not fit is told in the words of upstream's library. */
function fit<T>(step: () => T, texts: { noWay: string; at: (detail: string) => string }): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    const { detail } = error;
    throw unprocessable(
      detail === undefined ? `${texts.noWay}: ${missingValue}` : texts.at(detail),
    );
  }
}

function run(draft: Draft, operation: Fields): void {
  const path = textOf(operation, 'path');
  const notThere = 'operation does not apply: doc is missing';
  switch (operation['op']) {
    case 'add': {
      const value = valueOf(operation);
      return fit(() => draft.add(path, value), {
        noWay: `add ${notThere} path: "${path}"`,
        at: (detail) => `error in add for path: '${path}': ${detail}`,
      });
    }
    case 'remove':
      return fit(() => draft.remove(path), {
        noWay: `remove ${notThere} path: "${path}"`,
        at: (detail) => `error in remove for path: '${path}': ${detail}`,
      });
    case 'replace': {
      const value = valueOf(operation);
      return fit(() => draft.replace(path, value), {
        noWay: `replace ${notThere} path: ${path}`,
        at: () => `replace ${notThere} key: ${path}: ${missingValue}`,
      });
    }
    case 'move':
      return move(draft, textOf(operation, 'from'), path);
    case 'copy':
      return copy(draft, textOf(operation, 'from'), path);
    case 'test':
      return test(draft, path, operation['value']);
    default:
      throw unprocessable(`Unexpected kind: ${String(operation['op'])}`);
  }
}

function move(draft: Draft, from: string, to: string): void {
  const key = from.slice(from.lastIndexOf('/') + 1);
  const value = fit(() => draft.existing(from), {
    noWay: `move operation does not apply: doc is missing from path: ${from}`,
    at: (detail) => `error in move for path: '${key}': ${detail}`,
  });
  const destination = {
    noWay: `move operation does not apply: doc is missing destination path: ${to}`,
    at: (detail: string) => `error in move for path: '${to}': ${detail}`,
  };
  fit(() => {
    if (to.startsWith(`${from}/`)) throw offTheWay();
    draft.remove(from);
    draft.add(to, value);
  }, destination);
}

function copy(draft: Draft, from: string, to: string): void {
  const value = fit(() => draft.existing(from), {
    noWay: `copy operation does not apply: doc is missing from path: ${from}`,
    at: (detail) => `error in copy for from: '${from}': ${detail}`,
  });
  fit(() => draft.copy(value, to), {
    noWay: `copy operation does not apply: doc is missing destination path: ${to}`,
    at: (detail) => `error while adding value during copy: ${detail}`,
  });
}

/** Nothing at a place counts as null. */
function test(draft: Draft, path: string, expected: unknown): void {
  const value = fit(() => valueOrNull(draft, path), {
    noWay: `test operation does not apply: is missing path: ${path}`,
    at: (detail) => `error in test for path: '${path}': ${detail}`,
  });
  if (!jsonEqual(value, expected ?? null)) {
    throw unprocessable(`testing value ${path} failed: test failed`);
  }
}

function valueOrNull(draft: Draft, path: string): unknown {
  try {
    return draft.existing(path) ?? null;
  } catch (error) {
    const isMissing = error instanceof Misfit && error.detail?.endsWith(missingValue) === true;
    if (isMissing) return null;
    throw error;
  }
}

/**
 * Applies an RFC 6902 patch. Shares unchanged parts with `original`. Throws BadRequest when the
 * patch is no list of operations, Invalid (422) when one fails, RequestEntityTooLarge beyond 10000
 * operations.
 */
export function applyJsonPatch<T extends object>(original: T, operations: unknown): T {
  if (!Array.isArray(operations)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonTypeName(operations)} into Go value of type jsonpatch.Patch`,
    );
  }
  if (operations.length > maxOperations) {
    throw new ApiStatusError({
      httpCode: 413,
      reason: 'RequestEntityTooLarge',
      message: `Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${operations.length}`,
    });
  }
  const draft = new Draft(original);
  for (const operation of operations as unknown[]) {
    if (!isFields(operation)) {
      throw badRequest(
        `json: cannot unmarshal ${jsonTypeName(operation)} into Go value of type jsonpatch.Operation`,
      );
    }
    run(draft, operation);
  }
  return draft.root as T;
}
