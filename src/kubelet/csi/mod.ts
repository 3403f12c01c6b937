/**
 * CSI drivers on this node: which are registered, the CSINode that says so, and their volumes in
 * pods. Attaching is the drivers' own; provisioning, too. Start reading at csi-volumes.ts, then
 * mount-planned.ts.
 */
export { createCsiNodeWriter, type CsiNodeWriter } from './csi-node.ts';
export { createCsiPlugins, type CsiPlugins } from './csi-plugins.ts';
export { openCsiVolumes, type CsiVolumes } from './csi-volumes.ts';
export { startCsi, type Csi } from './start-csi.ts';
export { csiTables } from './csi-messages.ts';
