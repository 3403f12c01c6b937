import type { RuleCase, RuleEntry } from './rule-cases.ts';
import { readCases, readRules } from './rule-cases.ts';

const intro = `# Validation

What an object is refused for: the rules of Kubernetes 1.36, with the text of each. An answer has
code 422 and reason \`Invalid\`; its message is \`<Kind> "<name>" is invalid: <field>: <text>\`, and
\`details.causes\` holds each field, its reason (\`FieldValue…\`) and text. All errors of an object are
told at once, up to a thousand.

Rules of parts that several kinds share (metadata, pod specs, volumes, selectors, …) stand under the
name of the part, with fields below it. \`[]\` is the index of an item, \`{}\` the key of a map, \`<x>\`
something filled in. Rules hold for creations and updates unless an operation or subresource is
named. The objects that break each rule are in \`test/fixtures/validation/cases.json\`; "without a case" says why there is none.

This page is generated: \`npm run generate:docs\`.
`;

const labels: Readonly<Record<string, string>> = {
  Required: 'Required value',
  Invalid: 'Invalid value: <value>',
  TypeInvalid: 'Invalid value: <value>',
  NotSupported: 'Unsupported value: <value>',
  Forbidden: 'Forbidden',
  Duplicate: 'Duplicate value: <value>',
  NotFound: 'Not found: <value>',
  TooLong: 'Too long',
  TooMany: 'Too many: <count>',
};

function escape(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll('<', '\\<')
    .replaceAll('](', ']\\(');
}

function messageOf({ reason, detail, format }: RuleEntry): string {
  const label = labels[reason] ?? reason;
  if (format !== undefined) return `${label}: as format ${format}`;
  return detail === undefined ? label : `${label}: ${detail}`;
}

function row(rule: RuleEntry): string {
  const { field, reason, on = '', when = '', without } = rule;
  const condition = without === undefined ? when : `${when} (without a case: ${without})`;
  const cells = [field === '' ? '(itself)' : field, reason, messageOf(rule), on, condition.trim()];
  return `| ${cells.map(escape).join(' | ')} |`;
}

/** The text of docs/reference/validation.md. */
export function renderValidationReference(
  rules: readonly RuleEntry[] = readRules(),
  cases: readonly RuleCase[] = readCases(),
): string {
  const parts = Map.groupBy(rules, ({ of }) => of);
  const covered = new Set(cases.map(({ rule }) => rule));
  const lines = [intro, `${rules.length} rules, ${covered.size} of them with an object.`];
  for (const [name, entries] of parts) {
    lines.push('', `## ${name}`, '', '| field | reason | text | on | when |');
    lines.push('| --- | --- | --- | --- | --- |', ...entries.map(row));
  }
  return `${lines.join('\n')}\n`;
}
