import { join } from 'node:path';

/** Where an agent keeps its files: k3s' own layout. */
export interface AgentPaths {
  readonly agent: string;
  readonly clientCa: string;
  readonly serverCa: string;
  readonly kubeletKubeconfig: string;
  readonly kubeProxyKubeconfig: string;
  readonly controllerKubeconfig: string;
  readonly etc: string;
  readonly cniConfig: string;
  readonly flannelConfig: string;
  readonly staticPods: string;
  readonly images: string;
  /** `agent/<name>.crt` or `.key`. */
  readonly file: (name: string) => string;
}

export function agentPaths(dataDir: string): AgentPaths {
  const agent = join(dataDir, 'agent');
  const etc = join(agent, 'etc');
  return {
    agent,
    clientCa: join(agent, 'client-ca.crt'),
    serverCa: join(agent, 'server-ca.crt'),
    kubeletKubeconfig: join(agent, 'kubelet.kubeconfig'),
    kubeProxyKubeconfig: join(agent, 'kubeproxy.kubeconfig'),
    controllerKubeconfig: join(agent, 'k3scontroller.kubeconfig'),
    etc,
    cniConfig: join(etc, 'cni', 'net.d'),
    flannelConfig: join(etc, 'flannel', 'net-conf.json'),
    staticPods: join(agent, 'pod-manifests'),
    images: join(agent, 'images'),
    file: (name) => join(agent, name),
  };
}
