import { K3tsError } from '#base/errors.ts';
import { asBadRequest } from './label-parser.ts';
import type { Operator, Requirement, Selector, StringMap } from './requirement.ts';
import { compareBytes, noValues } from './requirement.ts';

export interface FieldSelector extends Selector {
  /** The value that a field must equal, when the selector asks for one. */
  exactValue(field: string): string | undefined;
}

const operators: readonly Operator[] = ['!=', '==', '='];

function fail(message: string): K3tsError {
  return new K3tsError('InvalidSelector', message);
}

/** Splits at commas that are not escaped. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\[^]|[^,\\]|\\$)+/g) ?? [];
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  return text.replace(/\\([^]?)|[,=]/gu, (match, escaped: string | undefined) => {
    if (escaped === undefined) {
      const code = match.codePointAt(0);
      throw fail(`invalid field selector: unescaped character in value: ${code}`);
    }
    if (escaped === '\\' || escaped === ',' || escaped === '=') return escaped;
    throw fail(`invalid field selector: invalid escape sequence: ${match}`);
  });
}

/** A value as it must be written in a field selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, (character) => `\\${character}`);
}

function parseTerm(term: string, whole: string): Requirement {
  const at = term.search(/!=|=/);
  const operator = operators.find((candidate) => at >= 0 && term.startsWith(candidate, at));
  if (operator === undefined) {
    throw fail(`invalid selector: '${whole}'; can't understand '${term}'`);
  }
  const value = unescapeValue(term.slice(at + operator.length));
  return { key: term.slice(0, at), operator: operator === '==' ? '=' : operator, values: [value] };
}

function valueOf({ values }: Requirement): string {
  return values[0] ?? '';
}

/**
 * The fieldSelector of a request; an absent field reads as the empty string. Throws
 * ApiStatusError BadRequest with upstream's text.
 */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements = asBadRequest(() =>
    splitTerms(text)
      .toSorted(compareBytes)
      .map((term) => parseTerm(term, text)),
  );
  const tests = requirements.map((requirement) => ({
    field: requirement.key,
    value: valueOf(requirement),
    isEqual: requirement.operator === '=',
  }));
  return {
    isEmpty: requirements.length === 0,
    requirements,
    matches(values: StringMap | undefined) {
      const map = values ?? noValues;
      for (const { field, value, isEqual } of tests) {
        if (((map[field] ?? '') === value) !== isEqual) return false;
      }
      return true;
    },
    exactValue: (field) => tests.find((test) => test.isEqual && test.field === field)?.value,
    toString: () =>
      requirements
        .map((one) => `${one.key}${one.operator}${escapeFieldValue(valueOf(one))}`)
        .join(','),
  };
}
