import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base/fake-clock.ts';
import { createExpectations } from './expectations.ts';

test('holds back until every creation and every deletion by uid was seen', () => {
  const expectations = createExpectations(new FakeClock());
  assert.equal(expectations.satisfied('a'), true);
  expectations.expectCreations('a', 2);
  expectations.expectDeletions('a', ['u1']);
  expectations.creationObserved('a');
  expectations.deletionObserved('a', 'other');
  expectations.deletionObserved('a', 'other');
  assert.equal(expectations.satisfied('a'), false);
  expectations.creationObserved('a');
  expectations.deletionObserved('a', 'u1');
  assert.equal(expectations.satisfied('a'), true);
});

test('a lost event holds back for five minutes only', async () => {
  const clock = new FakeClock();
  const expectations = createExpectations(clock);
  expectations.expectCreations('a', 1);
  await clock.advance(300_000);
  assert.equal(expectations.satisfied('a'), false);
  await clock.advance(1);
  assert.equal(expectations.satisfied('a'), true);
});
