import { parseQuantity } from '#base/quantity.ts';

/** Amounts of memory and storage that are no whole bytes. */
export function fractionWarnings(
  amounts: Readonly<Record<string, string | number>> | undefined,
  path: string,
): string[] {
  return ['memory', 'ephemeral-storage', 'storage'].flatMap((resource) => {
    const text = amounts?.[resource];
    if (text === undefined || !isFraction(String(text))) return [];
    return [`${path}[${resource}]: fractional byte value "${text}" is invalid, must be an integer`];
  });
}

function isFraction(text: string): boolean {
  const { mantissa, scale, big } = parseQuantity(text);
  return scale < 0 && big === undefined && mantissa % 10 ** -scale !== 0;
}
