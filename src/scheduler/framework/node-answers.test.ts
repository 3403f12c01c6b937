import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { clusterOf, labelledPod, on, zoneNode } from '../plugins/plugin-bench.ts';
import { NodeAnswers } from './node-answers.ts';
import { createPodInfo } from './node-info.ts';
import type { Plugin } from './plugin.ts';
import { unschedulable } from './status.ts';

function counting(answersByNode: boolean): { plugin: Plugin; asked: string[] } {
  const asked: string[] = [];
  const plugin: Plugin = {
    name: 'Counting',
    answersByNode,
    filter(_state, _pod, node) {
      asked.push(node.name);
      return node.pods.size > 0 ? unschedulable('full') : undefined;
    },
    score(_state, _pod, node) {
      asked.push(`score ${node.name}`);
      return node.pods.size;
    },
  };
  return { plugin, asked };
}

describe('answers of nodes', () => {
  const askAll = (answers: NodeAnswers, cluster: ReturnType<typeof clusterOf>, name: string) => {
    const pod = createPodInfo(labelledPod(name, { app: name }));
    answers.begin(pod, cluster);
    return cluster.nodes.map((node) => {
      return answers.filter(new Map(), pod, node, new Set())?.reasons.join() ?? 'fits';
    });
  };

  it('only nodes that changed are asked again for a pod of the same shape', () => {
    const { plugin, asked } = counting(true);
    const answers = new NodeAnswers([plugin], [{ plugin, weight: 1 }]);
    const cluster = clusterOf([zoneNode('a'), zoneNode('b')]);
    assert.deepEqual(askAll(answers, cluster, 'one'), ['fits', 'fits']);
    assert.deepEqual(askAll(answers, cluster, 'two'), ['fits', 'fits']);
    assert.deepEqual(asked, ['a', 'b']);
    cluster.setPod(on('b', labelledPod('placed', {})));
    assert.deepEqual(askAll(answers, cluster, 'three'), ['fits', 'full']);
    assert.deepEqual(asked, ['a', 'b', 'b']);
    cluster.removePod('default/placed');
    assert.deepEqual(askAll(answers, cluster, 'four'), ['fits', 'fits']);
  });

  it('a node that took the place of another is a new one', () => {
    const { plugin, asked } = counting(true);
    const answers = new NodeAnswers([plugin], []);
    const cluster = clusterOf([zoneNode('a')], [on('a', labelledPod('placed', {}))]);
    assert.deepEqual(askAll(answers, cluster, 'one'), ['full']);
    cluster.removeNode('a');
    cluster.setNode(zoneNode('c'));
    assert.deepEqual(askAll(answers, cluster, 'two'), ['fits']);
    assert.deepEqual(asked, ['a', 'c']);
  });

  it('scores are remembered as well', () => {
    const { plugin, asked } = counting(true);
    const answers = new NodeAnswers([], [{ plugin, weight: 1 }]);
    const cluster = clusterOf([zoneNode('a')]);
    const pod = createPodInfo(labelledPod('one', {}));
    answers.begin(pod, cluster);
    const [node] = cluster.nodes;
    assert.ok(node);
    assert.equal(answers.score(0, new Map(), pod, node, cluster), 0);
    assert.equal(answers.score(0, new Map(), pod, node, cluster), 0);
    cluster.setPod(on('a', labelledPod('placed', {})));
    assert.equal(answers.score(0, new Map(), pod, node, cluster), 1);
    assert.deepEqual(asked, ['score a', 'score a']);
  });

  it('filters from the first on that looks further than its node are not its business', () => {
    const near = counting(true).plugin;
    const far = counting(false).plugin;
    assert.deepEqual(new NodeAnswers([near, far, near], []).filters, [near]);
    assert.deepEqual(new NodeAnswers([far, near], []).filters, []);
  });

  it('pods of other requests, images, tolerations or ports have other shapes', () => {
    const shapeOf = (spec: Parameters<typeof labelledPod>[2]): string =>
      createPodInfo(labelledPod('p', {}, spec)).shape;
    const shapes = [
      shapeOf({}),
      shapeOf({ containers: [{ name: 'c', image: 'web:2' }] }),
      shapeOf({
        containers: [{ name: 'c', image: 'web:1', ports: [{ containerPort: 1, hostPort: 1 }] }],
      }),
      shapeOf({ tolerations: [{ operator: 'Exists' }] }),
      shapeOf({ nodeSelector: { a: 'b' } }),
      shapeOf({
        containers: [{ name: 'c', image: 'web:1', resources: { requests: { cpu: '1' } } }],
      }),
    ];
    assert.equal(new Set(shapes).size, shapes.length);
  });
});
