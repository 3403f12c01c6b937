/**
 * Says which volumes of CSI drivers are to be attached to which nodes, as VolumeAttachments; the
 * drivers' attachers do it. Start reading at sync-node.ts.
 */
export { startAttachDetachController } from './attach-detach-controller.ts';
