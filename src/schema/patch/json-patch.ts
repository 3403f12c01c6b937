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

  read(pointer: string): unknown {
    let value = this.root;
    for (const step of parsePointer(pointer)) value = childOf(value, step);
    return value;
  }

  add(pointer: string, value: unknown): void {
    const [parent, last] = this.#parentOf(pointer);
    // upstream's parser replaces the document, but does not add it
    if (parent === undefined) throw unprocessable('cannot add the document');
    if (!Array.isArray(parent)) setField(parent, last, value);
    else parent.splice(last === '-' ? parent.length : indexIn(parent, last, true), 0, value);
  }

  remove(pointer: string): void {
    const [parent, last] = this.#parentOf(pointer);
    if (parent === undefined) throw unprocessable('cannot remove the document');
    if (Array.isArray(parent)) parent.splice(indexIn(parent, last, false), 1);
    else if (Object.hasOwn(parent, last)) delete parent[last];
    else throw unprocessable(`nothing to remove at ${pointer}`);
  }

  replace(pointer: string, value: unknown): void {
    const [parent, last] = this.#parentOf(pointer);
    if (parent === undefined) this.root = value;
    else if (Array.isArray(parent)) parent[indexIn(parent, last, false)] = value;
    else if (Object.hasOwn(parent, last)) setField(parent, last, value);
    else throw unprocessable(`nothing to replace at ${pointer}`);
  }

  move(from: string, to: string): void {
    const value = this.#existing(from);
    if (to.startsWith(`${from}/`)) throw unprocessable('cannot move a value into itself');
    this.remove(from);
    this.add(to, value);
  }

  copy(from: string, to: string): void {
    const value = this.#existing(from);
    this.#copiedBytes += JSON.stringify(value).length;
    if (this.#copiedBytes > maxCopiedBytes) throw unprocessable('too much copied');
    // Two places share the value now, so neither may be written to without a copy.
    this.#owned.clear();
    this.add(to, value);
  }

  test(pointer: string, expected: unknown): void {
    const value = this.read(pointer);
    if (!jsonEqual(value ?? null, expected ?? null)) {
      throw unprocessable(`testing value ${pointer} failed`);
    }
  }

  #existing(pointer: string): unknown {
    const value = this.read(pointer);
    if (value === undefined) throw unprocessable(`nothing at ${pointer}`);
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
      const child = this.#own(childOf(at, step));
      if (Array.isArray(at)) at[indexIn(at, step, false)] = child;
      else setField(at, step, child);
      at = child;
    }
    return [at, last];
  }

  #own(value: unknown): Container {
    if (typeof value !== 'object' || value === null) throw unprocessable('no container on the way');
    if (this.#owned.has(value)) return value as Container;
    const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Fields) };
    this.#owned.add(copy);
    return copy;
  }
}

/** Undefined when there is no such child. */
function childOf(value: unknown, step: string): unknown {
  if (Array.isArray(value)) return value[indexIn(value, step, false)];
  return isFields(value) ? ownField(value, step) : undefined;
}

/** Upstream's parser also counts from the end: -1 is the last item. */
function indexIn(list: readonly unknown[], step: string, isInsert: boolean): number {
  if (!/^-?[0-9]+$/.test(step)) throw unprocessable(`no index: ${step}`);
  const count = isInsert ? list.length + 1 : list.length;
  const index = Number(step) < 0 ? Number(step) + count : Number(step);
  if (index < 0 || index >= count) throw unprocessable(`index out of range: ${step}`);
  return index;
}

function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw unprocessable(`no path: ${pointer}`);
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function textOf(operation: Fields, name: string): string {
  const text = operation[name];
  if (typeof text !== 'string') throw unprocessable(`${name} is missing`);
  return text;
}

/** A value that must be given; null is one. */
function valueOf(operation: Fields): unknown {
  if (operation['value'] === undefined) throw unprocessable('value is missing');
  return operation['value'];
}

function run(draft: Draft, operation: Fields): void {
  const path = textOf(operation, 'path');
  switch (operation['op']) {
    case 'add':
      return draft.add(path, valueOf(operation));
    case 'remove':
      return draft.remove(path);
    case 'replace':
      return draft.replace(path, valueOf(operation));
    case 'move':
      return draft.move(textOf(operation, 'from'), path);
    case 'copy':
      return draft.copy(textOf(operation, 'from'), path);
    case 'test':
      return draft.test(path, operation['value']);
    default:
      throw unprocessable(`unexpected kind: ${String(operation['op'])}`);
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
