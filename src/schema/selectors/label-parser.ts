import { ApiStatusError } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import type { Token } from './label-lexer.ts';
import { tokenize } from './label-lexer.ts';
import { labelKeyErrors, labelValueErrors } from './label-syntax.ts';
import type { Operator, Requirement } from './requirement.ts';
import { compareBytes, parseInteger } from './requirement.ts';

const binaryOperators: readonly Operator[] = ['in', 'notin', '=', '==', '!=', 'gt', 'lt'];
const operatorOf: Readonly<Record<string, Operator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

function fail(message: string): K3tsError {
  return new K3tsError('InvalidSelector', message);
}

function invalid(field: string, value: string, errors: readonly string[]): string {
  return `${field}: Invalid value: ${JSON.stringify(value)}: ${errors.join('; ')}`;
}

function sortedSet(values: Iterable<string>): string[] {
  return [...new Set(values)].toSorted(compareBytes);
}

/**
 * Checks key, number of values and values as upstream's NewRequirement; throws K3tsError
 * InvalidSelector with its text.
 */
export function createRequirement(
  key: string,
  operator: Operator,
  values: readonly string[],
): Requirement {
  const errors: string[] = [];
  const keyErrors = labelKeyErrors(key);
  if (keyErrors.length > 0) errors.push(invalid('key', key, keyErrors));
  const countRule = valueCountRule(operator, values.length);
  if (countRule !== undefined) {
    errors.push(`values: Invalid value: ${JSON.stringify(values)}: ${countRule}`);
  }
  for (const [index, value] of values.entries()) {
    if (operator !== 'gt' && operator !== 'lt') continue;
    if (parseInteger(value) === undefined) {
      const rule = "for 'Gt', 'Lt' operators, the value must be an integer";
      errors.push(invalid(`values[${index}]`, value, [rule]));
    }
  }
  for (const [index, value] of values.entries()) {
    const valueErrors = labelValueErrors(value);
    if (valueErrors.length > 0)
      errors.push(invalid(`values[${index}][${key}]`, value, valueErrors));
  }
  const [first, second] = errors;
  if (first !== undefined) throw fail(second === undefined ? first : `[${errors.join(', ')}]`);
  return { key, operator, values };
}

function valueCountRule(operator: Operator, count: number): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return count === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case 'exists':
    case '!':
      return count === 0 ? undefined : 'values set must be empty for exists and does not exist';
    case 'gt':
    case 'lt':
      return count === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
    default:
      return count === 1 ? undefined : 'exact-match compatibility requires one single value';
  }
}

/** Recursive descent over the tokens, with upstream's texts for what it finds instead. */
class LabelParser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokenize(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const start = this.#peek();
      if (start.type === 'end') return requirements;
      if (start.type !== '!' && !isIdentifier(start)) {
        throw fail(`found '${start.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.type === 'end') return requirements;
      if (separator.type !== ',') {
        throw fail(`found '${separator.text}', expected: ',' or 'end of string'`);
      }
      const following = this.#peek();
      if (following.type !== '!' && !isIdentifier(following)) {
        throw fail(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #peek(): Token {
    return this.#tokens[this.#position] ?? { type: 'end', text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }

  #requirement(): Requirement {
    try {
      return this.#parseRequirement();
    } catch (error) {
      if (!(error instanceof K3tsError)) throw error;
      throw new K3tsError(error.code, `unable to parse requirement: ${error.message}`);
    }
  }

  #parseRequirement(): Requirement {
    const isNegated = this.#peek().type === '!';
    if (isNegated) this.#next();
    const key = this.#next();
    if (!isIdentifier(key)) throw fail(`found '${key.text}', expected: identifier`);
    const keyErrors = labelKeyErrors(key.text);
    if (keyErrors.length > 0) throw fail(invalid('<nil>', key.text, keyErrors));
    if (isNegated) return createRequirement(key.text, '!', []);
    const after = this.#peek();
    if (after.type === 'end' || after.type === ',')
      return createRequirement(key.text, 'exists', []);
    const operatorToken = this.#next();
    const operator = operatorOf[operatorToken.type];
    if (operator === undefined) {
      throw fail(`found '${operatorToken.text}', expected: ${binaryOperators.join(', ')}`);
    }
    const values =
      operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return createRequirement(key.text, operator, sortedSet(values));
  }

  #values(): Iterable<string> {
    const open = this.#next();
    if (open.type !== '(') throw fail(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.type === ')') {
      this.#next();
      return [];
    }
    if (first.type !== ',' && !isIdentifier(first)) {
      throw fail(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#identifierList();
    if (this.#next().type !== ')') throw fail(`found '${first.text}', expected: ')'`);
    return values;
  }

  /** Values up to the closing parenthesis; a missing one between commas is the empty value. */
  #identifierList(): Set<string> {
    const values = new Set<string>();
    for (;;) {
      const token = this.#next();
      if (isIdentifier(token)) {
        values.add(token.text);
        const after = this.#peek();
        if (after.type === ')') return values;
        if (after.type !== ',') throw fail(`found '${after.text}', expected: ',' or ')'`);
      } else if (token.type === ',') {
        if (values.size === 0) values.add('');
        const after = this.#peek();
        if (after.type === ')') return values.add('');
        if (after.type === ',') {
          this.#next();
          values.add('');
        }
      } else {
        throw fail(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  #exactValue(): string {
    const token = this.#peek();
    if (token.type === 'end' || token.type === ',') return '';
    this.#next();
    if (isIdentifier(token)) return token.text;
    throw fail(`found '${token.text}', expected: identifier`);
  }
}

/** `in` and `notin` are words like others where a key or a value stands. */
function isIdentifier(token: Token): boolean {
  return token.type === 'identifier' || token.type === 'in' || token.type === 'notin';
}

/** Runs a parser of request text and answers its errors with 400 BadRequest. */
export function asBadRequest<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof K3tsError) || error.code !== 'InvalidSelector') throw error;
    throw new ApiStatusError({
      httpCode: 400,
      reason: 'BadRequest',
      message: error.message,
      cause: error,
    });
  }
}

/** The requirements in a selector text, in the order of their keys. */
export function parseRequirements(text: string): Requirement[] {
  const requirements = new LabelParser(text).parse();
  return requirements.toSorted((a, b) => compareBytes(a.key, b.key));
}
