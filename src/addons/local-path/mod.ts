/**
 * The provisioner of local-path volumes that k3s runs as a pod: which directory belongs to which
 * claim. Directories are made by the nodes' kubelets. Start reading at local-path.ts.
 */
export { removeLocalPath, startLocalPath } from './local-path.ts';
export type { LocalPathOptions } from './local-path.ts';
export { createNodeDirectories } from './node-directories.ts';
export type { NodeDirectories } from './node-directories.ts';
