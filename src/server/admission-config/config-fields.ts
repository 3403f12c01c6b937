import { K3tsError } from '#base/errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}

/** The value when it is an object, else one without fields. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function usage(file: string, why: string): K3tsError {
  return new K3tsError('Usage', `--admission-control-config-file ${file}: ${why}`);
}
