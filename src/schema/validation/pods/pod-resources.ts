import type { Container, PodSpec } from '../../generated/types.ts';
import type { Quantity } from '#base/quantity.ts';
import { addQuantity, compareQuantity, formatQuantity } from '#base/quantity.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { compareQuantities, quantityOfText } from '../shared/quantities.ts';
import { checkPodResourceName, isHugePages } from '../shared/resource-names.ts';
import { checkResourceRequirements } from '../shared/resource-requirements.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

type Amounts = Map<string, Quantity>;
type Field = 'requests' | 'limits';

/** Requests and limits of the pod as a whole, which bound those of its containers. */
export function checkPodResources(
  errors: ErrorList,
  specPath: FieldPath,
  spec: Unchecked<PodSpec>,
): void {
  const { resources } = spec;
  if (resources === undefined) return;
  const path = specPath.child('resources');
  if (spec.os?.name === 'windows') {
    errors.forbidden(path, '', 'may not be set for a windows pod');
  }
  if (!isEmpty(resources.claims)) {
    errors.forbidden(path, 'claims', 'claims may not be set for Resources at pod-level');
  }
  const amounts = { limits: resources.limits, requests: resources.requests };
  checkResourceRequirements(errors, path, amounts, checkPodResourceName, []);
  checkSums(errors, path, spec, 'requests');
  checkSums(errors, path, spec, 'limits');
  checkContainerLimits(errors, path, spec);
}

function checkSums(
  errors: ErrorList,
  path: FieldPath,
  spec: Unchecked<PodSpec>,
  field: Field,
): void {
  const own = spec.resources?.[field];
  if (own === undefined) return;
  for (const [name, sum] of sumOfContainers(spec, field)) {
    const amount = own[name];
    if (amount === undefined || (field === 'limits' && !isHugePages(name))) continue;
    if (compareQuantity(sum, quantityOfText(amount)) <= 0) continue;
    const detail = `must be greater than or equal to aggregate container ${field} of ${formatQuantity(sum)}`;
    errors.invalid(path.child(field).key(name), '', amount, detail);
  }
}

/** What runs together at the end, or the init container that needs more. */
function sumOfContainers(spec: Unchecked<PodSpec>, field: Field): Amounts {
  const total: Amounts = new Map();
  for (const container of spec.containers ?? []) addAmounts(total, container, field);
  const sidecars: Amounts = new Map();
  const peak: Amounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const isSidecar = container.restartPolicy === 'Always';
    if (isSidecar) addAmounts(total, container, field);
    const together = isSidecar ? sidecars : new Map(sidecars);
    addAmounts(together, container, field);
    raiseTo(peak, together);
  }
  raiseTo(total, peak);
  return total;
}

function addAmounts(target: Amounts, container: Unchecked<Container>, field: Field): void {
  for (const [name, text] of Object.entries(container.resources?.[field] ?? {})) {
    const amount = quantityOfText(text);
    const before = target.get(name);
    target.set(name, before === undefined ? amount : addQuantity(before, amount));
  }
}

function raiseTo(target: Amounts, other: Amounts): void {
  for (const [name, amount] of other) {
    const before = target.get(name);
    if (before === undefined || compareQuantity(before, amount) < 0) target.set(name, amount);
  }
}

/** Reported below spec.resources, as upstream does. */
function checkContainerLimits(
  errors: ErrorList,
  path: FieldPath,
  { resources, containers = [] }: Unchecked<PodSpec>,
): void {
  if (resources?.limits === undefined) return;
  containers.forEach((container, index) => {
    const limits = container.resources?.limits;
    for (const name in limits) {
      const podLimit = resources.limits?.[name];
      const limit = limits[name];
      if (podLimit === undefined || compareQuantities(limit, podLimit) <= 0) continue;
      const at = path.child('containers').at(index).key(name);
      errors.invalid(
        at,
        'limits',
        limit,
        `must be less than or equal to pod limits of ${podLimit}`,
      );
    }
  });
}
