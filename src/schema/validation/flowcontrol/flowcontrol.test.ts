import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const group = 'flowcontrol.apiserver.k8s.io';

test('FlowSchema', () => {
  validKind(group, 'flowschemas').create([
    [
      { 'spec.matchingPrecedence': 1 },
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      { 'spec.rules.0.subjects': [{ kind: 'User', group: { name: 'g' } }] },
      "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
      "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
    ],
    [
      { 'spec.rules.0.nonResourceRules.0.nonResourceURLs': ['a', '/b/*/c'] },
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/b/*/c": wildcard can only do suffix matching',
    ],
  ]);
});

test('PriorityLevelConfiguration', () => {
  const queuing = { queues: 10, handSize: 11, queueLengthLimit: 5 };
  validKind(group, 'prioritylevelconfigurations').create([
    [
      { 'spec.type': 'Exempt', 'spec.limited': undefined },
      "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
    ],
    [
      { 'spec.limited.limitResponse': { type: 'Reject', queuing } },
      'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
    ],
    [
      { 'spec.limited.limitResponse': { type: 'Queue', queuing } },
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 11: should not be greater than queues (10)',
    ],
  ]);
});
