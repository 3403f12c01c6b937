import type { Duplex } from 'node:stream';

/** A node's kubelet, as its Node object says where it listens. */
export interface KubeletAddress {
  readonly nodeName: string;
  readonly host: string;
  readonly port: number;
}

/** Something in the cluster that speaks HTTP: a pod, an endpoint of a service, a port of a node. */
export interface BackendAddress {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
}

/**
 * How the API server reaches kubelets and pods: straight, or through the tunnel that agents hold
 * open. Connections are handed over to the caller. Rejections say why in Go's words, as
 * `dial tcp 10.0.0.1:10250: connect: connection refused`.
 */
export interface KubeletTransport {
  /** A TLS connection: the kubelet is verified (unless told not to), this server shows its own. */
  connectKubelet(
    kubelet: KubeletAddress,
    options: { signal: AbortSignal; isUnverified?: boolean },
  ): Promise<Duplex>;
  /** A connection without proof of who answers, with TLS where the address says so. */
  connectBackend(address: BackendAddress, options: { signal: AbortSignal }): Promise<Duplex>;
}
