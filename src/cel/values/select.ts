/** Fields and elements of values, with cel-go's errors for what is absent. */
import { CelRuntimeError } from '../errors.ts';
import { CelList } from './list.ts';
import { CelMap } from './map.ts';
import { CelDouble, CelUint, CelOptional, type CelValue } from './value.ts';
import { typeNameOf } from './type-name.ts';

function keyName(key: CelValue): string {
  return String(key instanceof CelUint || key instanceof CelDouble ? key.value : key);
}

function listIndex(index: CelValue): number {
  if (typeof index === 'number') return index;
  if (typeof index === 'bigint') return Number(index);
  if (index instanceof CelUint) return Number(index.value);
  if (index instanceof CelDouble && Number.isInteger(index.value)) return index.value;
  if (index instanceof CelDouble) {
    throw new CelRuntimeError(`unsupported index value ${index.value} in list`);
  }
  throw new CelRuntimeError(`unsupported index type '${typeNameOf(index)}' in list`);
}

/** undefined: absent. */
export function findElement(container: CelValue, key: CelValue): CelValue | undefined {
  if (container instanceof CelMap) return container.find(key);
  if (container instanceof CelList) {
    const index = listIndex(key);
    return index >= 0 && index < container.size ? container.at(index) : undefined;
  }
  return undefined;
}

/** `container[key]` and `container.key`; an optional container gives an optional. */
export function element(container: CelValue, key: CelValue): CelValue {
  if (container instanceof CelOptional) {
    if (container.value === undefined) return container;
    return optionalElement(container.value, key);
  }
  const found = findElement(container, key);
  if (found !== undefined) return found;
  if (container instanceof CelList) {
    throw new CelRuntimeError(`index out of bounds: ${keyName(key)}`);
  }
  throw new CelRuntimeError(`no such key: ${keyName(key)}`);
}

/** `container.?key` and `container[?key]`. */
export function optionalElement(container: CelValue, key: CelValue): CelValue {
  const inner = container instanceof CelOptional ? container.value : container;
  if (inner === undefined) return CelOptional.none;
  const found = findElement(inner, key);
  return found === undefined ? CelOptional.none : new CelOptional(found);
}

/** has(operand.field). */
export function isPresent(operand: CelValue, field: string): boolean {
  if (operand instanceof CelMap) return operand.has(field);
  if (operand instanceof CelOptional) {
    return operand.value !== undefined && isPresent(operand.value, field);
  }
  return false;
}
