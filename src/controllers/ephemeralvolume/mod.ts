/** Makes the claims of generic ephemeral volumes: each lives as long as its pod. */
export { startEphemeralVolumeController } from './ephemeral-volume-controller.ts';
