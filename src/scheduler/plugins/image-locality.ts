import type { NodeInfo, PodInfo } from '../framework/node-info.ts';
import { maxNodeScore } from '../framework/plugin.ts';
import type { Plugin, Snapshot } from '../framework/plugin.ts';

const mebibyte = 1024 * 1024;
const minThresholdBytes = 23 * mebibyte;
const maxContainerThresholdBytes = 1000 * mebibyte;

/** Prefers nodes that have the pod's images, the more the larger and the wider spread they are. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  answersByNode: true,
  score(_state, pod, node, snapshot) {
    const sumBytes = pod.images.reduce((sum, image) => sum + scaledSize(image, node, snapshot), 0);
    return scoreOf(sumBytes, pod);
  },
};

function scaledSize(image: string, node: NodeInfo, snapshot: Snapshot): number {
  const sizeBytes = node.images.get(image);
  if (sizeBytes === undefined) return 0;
  return Math.floor(sizeBytes * (snapshot.nodesWithImage(image) / snapshot.nodes.length));
}

function scoreOf(sumBytes: number, pod: PodInfo): number {
  const maxBytes = maxContainerThresholdBytes * pod.images.length;
  const bounded = Math.min(Math.max(sumBytes, minThresholdBytes), maxBytes);
  return Math.floor(
    (maxNodeScore * (bounded - minThresholdBytes)) / (maxBytes - minThresholdBytes),
  );
}
