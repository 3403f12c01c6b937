import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readYaml } from './yaml-text.ts';

/** What upstream's parser says of a text. */
const problems: ReadonlyArray<readonly [text: string, problem: string]> = [
  ['a: b: c', 'mapping values are not allowed in this context'],
  ['x: 1\na: b: c\n', 'line 2: mapping values are not allowed in this context'],
  ['a: b\n  c: d\n', 'line 2: mapping values are not allowed in this context'],
  ['a: [\n', 'line 1: did not find expected node content'],
  ['{"a":', 'did not find expected node content'],
  ['a: [1,2', "did not find expected ',' or ']'"],
  ['a: [1, 2\nb: 3\n', "line 1: did not find expected ',' or ']'"],
  ['a: {b: 1\nc: 2\n', "line 1: did not find expected ',' or '}'"],
  ['{"a" 1}', "did not find expected ',' or '}'"],
  ['a:\n\t- b\n', 'line 2: found character that cannot start any token'],
  ['a: @b', 'found character that cannot start any token'],
  ['a:\n  b: 1\n c: 2\n', 'line 2: did not find expected key'],
  ['a: 1\n]\n', 'line 1: did not find expected key'],
  ['- a\nb: 1\n', "line 1: did not find expected '-' indicator"],
  ['a: - b', 'block sequence entries are not allowed in this context'],
  ['a: "abc\n', 'line 2: found unexpected end of stream'],
  ['a: 1\nb\nc: 2\n', "line 3: could not find expected ':'"],
  ['a:\n- b\nc\n', "line 4: could not find expected ':'"],
  ['x: 1\na: "\\q"', 'line 2: found unknown escape character'],
  ['a: "\\xzz"', 'did not find expected hexdecimal number'],
  ['{} x', 'did not find expected <document start>'],
  ['a: *x\n', "unknown anchor 'x' referenced"],
  ['a: \u0001b', 'control characters are not allowed'],
];

describe('YAML that cannot be read', () => {
  for (const [text, problem] of problems) {
    it(`${JSON.stringify(text)}: ${problem}`, () => {
      assert.throws(() => readYaml(text), { code: 'YamlSyntax', message: `yaml: ${problem}` });
    });
  }
});
