import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeContinue, encodeContinue } from './continue-token.ts';

const refusal = 'invalid continue token: continue key is not valid: ';
const problems: ReadonlyArray<readonly [json: string, problem: string]> = [
  ['i·', "invalid character 'i' looking for beginning of value"],
  ['{', 'unexpected end of JSON input'],
  ['[]', 'json: cannot unmarshal array into Go value of type storage.continueToken'],
  ['"x"', 'json: cannot unmarshal string into Go value of type storage.continueToken'],
  [
    '{"v":"meta.k8s.io/v1","rv":"q","start":"a"}',
    'json: cannot unmarshal string into Go struct field continueToken.rv of type int64',
  ],
  ['null', 'server does not recognize this encoded version '],
  ['{"v":"x","rv":1,"start":"a"}', 'server does not recognize this encoded version x'],
  [
    '{"v":"meta.k8s.io/v1","start":"a"}',
    'incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
  ],
  ['{"v":"meta.k8s.io/v1","rv":1}', 'encoded start key empty (version meta.k8s.io/v1)'],
  ['{"v":"meta.k8s.io/v1","rv":1,"start":"../a"}', '../a'],
];

describe('continue tokens', () => {
  it('are read as they were written', () => {
    const point = { revision: 7, start: 'default/a\0' };
    assert.deepEqual(decodeContinue(encodeContinue(point)), point);
  });

  for (const [json, problem] of problems) {
    it(`${json} is refused: ${problem}`, () => {
      const token = Buffer.from(json).toString('base64url');
      assert.throws(() => decodeContinue(token), { httpCode: 400, message: refusal + problem });
    });
  }

  it('that are no base64 are refused with the place', () => {
    const message = `${refusal}illegal base64 data at input byte 1`;
    assert.throws(() => decodeContinue('a='), { message });
  });
});
