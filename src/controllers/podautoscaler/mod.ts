/**
 * HorizontalPodAutoscaler: sizes of scalable objects follow what their pods use. It reads metrics
 * through the API (metrics.k8s.io and what adapters serve), knows no kubelet, and writes scales and
 * statuses only. Start reading at horizontal-controller.ts, then replica-count.ts.
 */
export { startHorizontalPodAutoscaler } from './horizontal-controller.ts';
