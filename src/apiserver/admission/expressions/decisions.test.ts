import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decisions } from './decisions.ts';

const request = (verb: string) => ({ user: { name: 'u', groups: [] }, path: '/x', verb });

test('an evaluation runs again until all it asked is known, each question once', async () => {
  const asked: string[] = [];
  const decisions = new Decisions({
    authorize({ verb }) {
      asked.push(verb);
      return Promise.resolve({ decision: verb === 'put' ? 'deny' : 'allow', reason: verb });
    },
  });
  let runs = 0;
  const evaluate = (): boolean => {
    runs++;
    return decisions.ask(request('get')).isAllowed && !decisions.ask(request('put')).isAllowed;
  };
  assert.equal(await decisions.settle(evaluate), true);
  assert.deepEqual([runs, asked], [3, ['get', 'put']]);
  assert.equal(await decisions.settle(evaluate), true);
  assert.deepEqual([runs, asked.length], [4, 2]);
});

test('an authorizer that fails allows nothing and says why', async () => {
  const decisions = new Decisions({ authorize: () => Promise.reject(new Error('down')) });
  const answer = await decisions.settle(() => decisions.ask(request('get')));
  assert.deepEqual(answer, { isAllowed: false, reason: '', error: 'down' });
});
