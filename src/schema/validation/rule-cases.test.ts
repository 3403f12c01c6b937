import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kindUnderTest } from './testing/check-kind.ts';
import { renderValidationReference } from './testing/rule-page.ts';
import { validObjects } from './testing/valid-objects.ts';
import { isErrorOf, readCases, readRules } from './testing/rule-cases.ts';

const cases = readCases();

test('every rule of upstream has an object that breaks it, or a reason why none can', () => {
  const broken = new Set(cases.map(({ rule }) => rule));
  const open = readRules().filter(({ id, without }) => broken.has(id) === (without !== undefined));
  assert.deepEqual(open, []);
});

test('objects that break a rule are refused in the words of upstream', () => {
  const wrong: string[] = [];
  for (const one of cases) {
    const valid = validObjects[`${one.group}/${one.resource}`] ?? {};
    const kind = kindUnderTest(one.group, one.resource, valid, one.version);
    const lines =
      one.on === 'create'
        ? kind.created(one.changes)
        : kind.changed(one.oldChanges, one.changes, one.on === 'update' ? '' : one.on);
    if (lines.length === one.count && lines.some((line) => isErrorOf(line, one))) continue;
    wrong.push(
      `${one.rule}: ${one.error.slice(0, 200)}\n  got ${lines.join('\n  ').slice(0, 600)}`,
    );
  }
  assert.deepEqual(wrong, []);
});

test('the page of rules is up to date', () => {
  const page = join(import.meta.dirname, '../../../docs/reference/validation.md');
  assert.equal(readFileSync(page, 'utf8'), renderValidationReference());
});
