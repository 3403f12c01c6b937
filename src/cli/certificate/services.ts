import { join } from 'node:path';

/** Certificates of a service: base names below server/tls and below agent, without `.crt`. */
interface ServiceFiles {
  readonly server?: readonly string[];
  readonly agent?: readonly string[];
  /** Keys without a certificate beside them, below server/tls. */
  readonly serverKeys?: readonly string[];
}

/** k3s' names of services and which files are theirs. */
const services: Readonly<Record<string, ServiceFiles>> = {
  'api-server': { server: ['client-kube-apiserver', 'serving-kube-apiserver'] },
  admin: { server: ['client-admin'] },
  'auth-proxy': { server: ['client-auth-proxy'] },
  'cloud-controller': { server: ['client-k3s-cloud-controller'] },
  'controller-manager': { server: ['client-controller'] },
  etcd: { server: ['etcd/client', 'etcd/server-client', 'etcd/peer-server-client'] },
  scheduler: { server: ['client-scheduler'] },
  supervisor: { server: ['client-supervisor'] },
  // The certificate of the port that people and nodes talk to is the API server's here.
  'k3s-server': { server: ['serving-kube-apiserver'] },
  'kube-proxy': { server: ['client-kube-proxy'], agent: ['client-kube-proxy'] },
  kubelet: {
    agent: ['client-kubelet', 'serving-kubelet'],
    serverKeys: ['client-kubelet', 'serving-kubelet'],
  },
  'k3s-controller': { server: ['client-k3s-controller'], agent: ['client-k3s-controller'] },
};

export const agentServices: readonly string[] = ['kube-proxy', 'kubelet', 'k3s-controller'];
export const allServices: readonly string[] = Object.keys(services);

export function isService(name: string): boolean {
  return Object.hasOwn(services, name);
}

/** Paths of a service's certificates and keys; some may not exist. */
export function filesOf(service: string, dataDir: string): { certificate?: string; key: string }[] {
  const { server = [], agent = [], serverKeys = [] } = services[service] ?? {};
  const tls = join(dataDir, 'server', 'tls');
  const pair = (folder: string, name: string): { certificate: string; key: string } => ({
    certificate: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
  });
  return [
    ...server.map((name) => pair(tls, name)),
    ...serverKeys.map((name) => ({ key: join(tls, `${name}.key`) })),
    ...agent.map((name) => pair(join(dataDir, 'agent'), name)),
  ];
}
