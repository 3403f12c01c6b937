/** `missing` stops k3ts or pods from working; `limited` takes one feature away. */
export type CheckState = 'ok' | 'limited' | 'missing';

export interface CheckResult {
  readonly state: CheckState;
  /** What was found. */
  readonly found: string;
  /** What does not work then, and what to do; absent when all is well. */
  readonly consequence?: string | undefined;
}

export interface Check {
  readonly group: 'kernel' | 'network' | 'programs' | 'machine';
  readonly name: string;
  run(): Promise<CheckResult>;
}

export const ok = (found: string): CheckResult => ({ state: 'ok', found });
export const limited = (found: string, consequence: string): CheckResult => ({
  state: 'limited',
  found,
  consequence,
});
export const missing = (found: string, consequence: string): CheckResult => ({
  state: 'missing',
  found,
  consequence,
});
