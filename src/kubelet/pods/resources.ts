import { milliValue, parseQuantity, quantityValue, zeroQuantity } from '#base/quantity.ts';
import type { Quantity } from '#base/quantity.ts';

type Amounts = Record<string, string> | undefined;

export function amountOf(amounts: Amounts, resource: string): Quantity {
  const text = amounts?.[resource];
  return text === undefined ? zeroQuantity : parseQuantity(text);
}

/** cpu in thousandths, everything else in whole units. */
export function amountValue(amounts: Amounts, resource: string): number {
  const quantity = amountOf(amounts, resource);
  return resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity);
}
