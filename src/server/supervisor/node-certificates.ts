import type { KeyObject } from 'node:crypto';

import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { issueCertificate, publicKeyOfRequest } from '#pki/mod.ts';
import type { Authority, KeyUsagePurpose } from '#pki/mod.ts';
import type { Authorities } from '../authorities.ts';
import type { NodePasswords } from './node-passwords.ts';
import { statusError } from './router.ts';
import type { SupervisorCall, SupervisorRequest, SupervisorRoute } from './router.ts';

interface NodeIdentity {
  readonly name: string;
  readonly password: string;
  readonly ips: readonly string[];
}

/**
 * The routes from which an agent gets its certificates. Subject and names are the server's to set;
 * of a signing request only the public key is used. Without one, the shared key is handed out.
 */
export function nodeCertificateRoutes(options: {
  authorities: Authorities;
  /** PEM of the keys for agents without a signing request, by certificate name. */
  sharedKeys: Readonly<Record<string, string>>;
  nodePasswords: NodePasswords;
  clock: Clock;
  random: Random;
}): SupervisorRoute[] {
  const { authorities, sharedKeys, nodePasswords, clock, random } = options;

  const issue = async (
    call: SupervisorCall,
    certificate: {
      keyName: string;
      authority: Authority;
      commonName: string;
      organizations?: string[];
      dnsNames?: string[];
      ipAddresses?: string[];
      purposes: KeyUsagePurpose[];
    },
  ): Promise<string> => {
    const sharedKey = sharedKeys[certificate.keyName];
    const isRequest = call.body.length > 0;
    if (!isRequest && sharedKey === undefined) {
      throw statusError(400, 'BadRequest', 'a certificate signing request is needed');
    }
    const key: KeyObject | string = isRequest
      ? await publicKeyOfRequest(call.body)
      : (sharedKey ?? '');
    const pem = await issueCertificate({
      ...certificate,
      key,
      nowMs: clock.now(),
      serial: random.bytes(16),
    });
    return isRequest ? pem : `${pem}${sharedKey ?? ''}`;
  };

  const identify = async (call: SupervisorCall): Promise<NodeIdentity> => {
    const node = nodeIdentity(call.request);
    const commonName = call.caller?.name ?? '';
    if (commonName.startsWith('system:node:') && commonName !== `system:node:${node.name}`) {
      throw statusError(400, 'BadRequest', 'header node name does not match auth node name');
    }
    await nodePasswords.verify(node.name, node.password);
    return node;
  };

  const route = (
    name: string,
    handle: (call: SupervisorCall) => Promise<string>,
  ): SupervisorRoute => ({
    path: `/v1-k3s/${name}.crt`,
    methods: ['GET', 'POST'],
    access: 'agent',
    handle: async (call) => ({ body: await handle(call) }),
  });

  return [
    route('serving-kubelet', async (call) => {
      const node = await identify(call);
      return await issue(call, {
        keyName: 'serving-kubelet',
        authority: authorities.server,
        commonName: node.name,
        dnsNames: [node.name, 'localhost'],
        ipAddresses: ['127.0.0.1', ...node.ips],
        purposes: ['server'],
      });
    }),
    route('client-kubelet', async (call) => {
      const node = await identify(call);
      return await issue(call, {
        keyName: 'client-kubelet',
        authority: authorities.client,
        commonName: `system:node:${node.name}`,
        organizations: ['system:nodes'],
        purposes: ['client'],
      });
    }),
    ...['kube-proxy', 'k3s-controller'].map((component) =>
      route(`client-${component}`, (call) =>
        issue(call, {
          keyName: `client-${component}`,
          authority: authorities.client,
          commonName: `system:${component}`,
          purposes: ['client'],
        }),
      ),
    ),
  ];
}

function nodeIdentity(request: SupervisorRequest): NodeIdentity {
  const header = (name: string): string => {
    const value = request.headers[name];
    return (Array.isArray(value) ? value[0] : value) ?? '';
  };
  const name = header('k3s-node-name');
  const password = header('k3s-node-password');
  if (name === '') throw statusError(400, 'BadRequest', 'node name not set');
  if (password === '') throw statusError(400, 'BadRequest', 'node password not set');
  return { name, password, ips: header('k3s-node-ip').split(',').filter(Boolean) };
}
