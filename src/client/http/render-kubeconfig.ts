/** A component's kubeconfig that names its certificate files, in the words of k3s. */
export function renderKubeconfig(options: {
  server: string;
  caFile: string;
  certificateFile: string;
  keyFile: string;
}): string {
  return `apiVersion: v1
clusters:
- cluster:
    server: ${options.server}
    certificate-authority: ${options.caFile}
  name: local
contexts:
- context:
    cluster: local
    namespace: default
    user: user
  name: Default
current-context: Default
kind: Config
preferences: {}
users:
- name: user
  user:
    client-certificate: ${options.certificateFile}
    client-key: ${options.keyFile}
`;
}
