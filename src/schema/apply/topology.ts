import type { FieldSet } from './fields-v1.ts';
import { isEmptySet, leaf } from './fields-v1.ts';
import type { Owner } from './owners.ts';
import { withFields } from './owners.ts';
import type { Shape, StructShape } from './shape.ts';
import { deducedShape } from './shape.ts';
import type { VersionScope } from './versions.ts';
import { foreignShape, isForeign } from './versions.ts';

/** Owners whose sets fit the types as they are now: those of custom kinds change with definitions. */
export function reconciledOwners(
  owners: readonly Owner[],
  shape: StructShape,
  scope: VersionScope,
): readonly Owner[] {
  return owners.map((owner) => {
    const its = isForeign(owner, scope) ? foreignShape(owner.apiVersion, scope) : shape;
    return its === undefined ? owner : withFields(owner, reconciled(owner.fields, its));
  });
}

/**
 * A set that was written when a list or map was owned part by part, as it reads now that the type
 * has it as a whole: who owned a part owns the whole. The same set when nothing differs. Upstream
 * does not look for the other way round.
 */
function reconciled(set: FieldSet, shape: Shape): FieldSet {
  if (shape.kind === 'leaf') {
    const isWhole = shape.holds === 'list' || shape.holds === 'map';
    return isWhole && !isEmptySet(set) ? leaf : set;
  }
  if (shape.kind !== 'struct' && shape.kind !== 'map' && shape.kind !== 'list-map') return set;
  let result: Record<string, FieldSet> | undefined;
  for (const element in set) {
    if (element === '.') continue;
    const before = set[element] ?? leaf;
    if (isEmptySet(before)) continue;
    const after = reconciled(before, shapeOf(shape, element));
    if (after !== before) (result ??= { ...set })[element] = after;
  }
  return result ?? set;
}

function shapeOf(shape: Shape, element: string): Shape {
  if (shape.kind === 'list-map') return shape.item;
  if (!element.startsWith('f:')) return deducedShape;
  if (shape.kind === 'map') return shape.value;
  return (shape.kind === 'struct' && shape.field(element.slice(2))?.shape) || deducedShape;
}
