/** A count as Go's omitempty writes it: zero is an absent field. */
export function count(value: number): number | undefined {
  return value === 0 ? undefined : value;
}
