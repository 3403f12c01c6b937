import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { PatchType } from './decoded-patch.ts';
import { decodePatch } from './decoded-patch.ts';
import type { FieldValidation } from './write-options.ts';

const bad = 'error decoding patch: ';
const intoOperation = 'into Go value of type handlers.jsonPatchOp';
const cases: ReadonlyArray<readonly [PatchType, FieldValidation, body: string, message: string]> = [
  ['json', 'Warn', '{', `${bad}unexpected end of JSON input`],
  ['json', 'Ignore', '{', 'unexpected end of JSON input'],
  ['json', 'Strict', '[1]', `${bad}json: cannot unmarshal number ${intoOperation}`],
  ['json', 'Warn', '[{},[]]', `${bad}json: cannot unmarshal array ${intoOperation}`],
  [
    'json',
    'Warn',
    '[{"op":1,"path":"/a"}]',
    `${bad}json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string`,
  ],
  [
    'json',
    'Warn',
    '[{"op":"move","from":["/b"],"path":"/a"}]',
    `${bad}json: cannot unmarshal array into Go struct field jsonPatchOp.from of type string`,
  ],
  ['merge', 'Warn', '{', `${bad}unexpected end of JSON input`],
  ['merge', 'Ignore', '{', 'Invalid JSON Patch'],
  ['merge', 'Ignore', '"x"', 'Invalid JSON Patch'],
  ['merge', 'Warn', 'null', 'Invalid JSON Patch'],
  ['strategic', 'Warn', '{', 'unexpected end of JSON input'],
  ['strategic', 'Ignore', '{', 'unexpected end of JSON input'],
];

describe('patches that cannot be read', () => {
  for (const [type, mode, body, message] of cases) {
    it(`${type} ${mode} ${body}`, () => {
      const read = (): unknown => decodePatch(type, Buffer.from(body), mode);
      assert.throws(read, { httpCode: 400, reason: 'BadRequest', message });
    });
  }

  it('operations without some of their fields can be', () => {
    const body = '[{"op":"remove","path":"/a","from":null},null]';
    const { type } = decodePatch('json', Buffer.from(body), 'Warn');
    assert.equal(type, 'json');
  });
});
