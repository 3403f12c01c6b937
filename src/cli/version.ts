/** The version of k3ts: the Kubernetes version whose API it serves, and the build on top. */
export const version = 'v1.36.2+k3ts1';
