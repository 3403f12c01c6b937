import { usableEndpoints } from '../service-port.ts';
import type { IpFamily, ServiceEndpoint, ServicePort } from '../service-port.ts';
import { endpointChain, serviceChain } from './chain-names.ts';
import { RuleSet } from './rule-set.ts';

/** Mark of packets that get the node's address: bit 14, as kube-proxy. */
const masqueradeMark = '0x4000';

export interface RenderOptions {
  readonly family: IpFamily;
  /** Pod network of this family: what comes from elsewhere to a ClusterIP is masqueraded. */
  readonly clusterCidr: string | undefined;
}

/** All chains of the proxy for these service ports, as kube-proxy in iptables mode writes them. */
export function renderRules(ports: readonly ServicePort[], options: RenderOptions): RuleSet {
  const rules = new RuleSet();
  addFixedRules(rules, options);
  for (const port of ports) addServicePort(rules, port, options);
  rules.add(
    'nat',
    'KUBE-SERVICES',
    `${comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')} ` +
      '-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
  );
  return rules;
}

/** The chains of a proxy without Services; what a new one starts from. */
function addFixedRules(rules: RuleSet, { family }: RenderOptions): void {
  for (const chain of ['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-CANARY']) {
    rules.chain('nat', chain);
  }
  for (const chain of ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS']) {
    rules.chain('filter', chain);
  }
  rules.chain('filter', 'KUBE-PROXY-FIREWALL');
  rules.add('nat', 'KUBE-MARK-MASQ', `-j MARK --or-mark ${masqueradeMark}`);
  const post = (rule: string): void => rules.add('nat', 'KUBE-POSTROUTING', rule);
  post(`-m mark ! --mark ${masqueradeMark}/${masqueradeMark} -j RETURN`);
  post(`-j MARK --xor-mark ${masqueradeMark}`);
  post(`${comment('kubernetes service traffic requiring SNAT')} -j MASQUERADE --random-fully`);
  const forward = (rule: string): void => rules.add('filter', 'KUBE-FORWARD', rule);
  forward('-m conntrack --ctstate INVALID -j DROP');
  forward(
    `${comment('kubernetes forwarding rules')} ` +
      `-m mark --mark ${masqueradeMark}/${masqueradeMark} -j ACCEPT`,
  );
  forward(
    `${comment('kubernetes forwarding conntrack rule')} ` +
      '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  );
  if (family === 4) {
    rules.add(
      'filter',
      'KUBE-FIREWALL',
      `${comment('block incoming localnet connections')} ` +
        '! -s 127.0.0.0/8 -d 127.0.0.0/8 ' +
        '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    );
  }
}

interface PortChains {
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

function addServicePort(rules: RuleSet, port: ServicePort, options: RenderOptions): void {
  const all = usableEndpoints(port.endpoints);
  const local = usableEndpoints(port.endpoints.filter(({ isLocal }) => isLocal));
  const chains: PortChains = {
    cluster: serviceChain('SVC', port.name, port.protocol),
    local: serviceChain('SVL', port.name, port.protocol),
    external: serviceChain('EXT', port.name, port.protocol),
    firewall: serviceChain('FW', port.name, port.protocol),
  };
  const internal = port.isInternalLocal ? local : all;
  const external = port.isExternalLocal ? local : all;
  addClusterIp(rules, port, { chains, endpoints: internal, hasAny: all.length > 0, options });
  const externalTargets = externalDestinations(port);
  if (externalTargets.length > 0) {
    addExternal(rules, port, { chains, endpoints: external, hasAny: all.length > 0, options });
  }
  const usesExternal = externalTargets.length > 0 && external.length > 0;
  const usesLocal =
    (port.isInternalLocal && internal.length > 0) || (port.isExternalLocal && usesExternal);
  // EXT with policy Local sends the cluster's own traffic to all endpoints.
  const usesCluster = (!port.isInternalLocal && internal.length > 0) || usesExternal;
  if (usesCluster) addBalancing(rules, port, chains.cluster, all);
  if (usesLocal) addBalancing(rules, port, chains.local, local);
  if (usesCluster || usesLocal) {
    const used = new Set([...(usesCluster ? all : []), ...(usesLocal ? local : [])]);
    for (const endpoint of used) addEndpoint(rules, port, endpoint);
  }
}

interface Destination {
  readonly what: string;
  /** Match of the destination, without the jump. */
  readonly match: string;
  readonly isLoadBalancer: boolean;
  readonly isNodePort: boolean;
}

function externalDestinations(port: ServicePort): Destination[] {
  const match = (ip: string): string =>
    `-m ${port.protocol} -p ${port.protocol} -d ${host(ip)} --dport ${port.port}`;
  const none = { isLoadBalancer: false, isNodePort: false };
  return [
    ...port.externalIps.map((ip) => ({ ...none, what: 'external IP', match: match(ip) })),
    ...port.loadBalancerIps.map((ip) => ({
      ...none,
      what: 'loadbalancer IP',
      match: match(ip),
      isLoadBalancer: true,
    })),
    ...(port.nodePort === 0
      ? []
      : [
          {
            ...none,
            what: '',
            match: `-m ${port.protocol} -p ${port.protocol} --dport ${port.nodePort}`,
            isNodePort: true,
          },
        ]),
  ];
}

interface Target {
  readonly chains: PortChains;
  readonly endpoints: readonly ServiceEndpoint[];
  /** Endpoints exist somewhere, if not where the policy wants them. */
  readonly hasAny: boolean;
  readonly options: RenderOptions;
}

function addClusterIp(rules: RuleSet, port: ServicePort, target: Target): void {
  const { chains, endpoints, hasAny, options } = target;
  const chain = port.isInternalLocal ? chains.local : chains.cluster;
  const match = `-m ${port.protocol} -p ${port.protocol} -d ${host(port.clusterIp)} --dport ${port.port}`;
  if (endpoints.length === 0) {
    addRefusal(rules, 'KUBE-SERVICES', port, match, hasAny);
    return;
  }
  rules.add('nat', 'KUBE-SERVICES', `${comment(`${port.name} cluster IP`)} ${match} -j ${chain}`);
  if (options.clusterCidr === undefined) return;
  rules.add(
    'nat',
    chain,
    `${comment(`${port.name} cluster IP`)} ! -s ${options.clusterCidr} ${match} -j KUBE-MARK-MASQ`,
  );
}

function addExternal(rules: RuleSet, port: ServicePort, target: Target): void {
  const { chains, endpoints, hasAny, options } = target;
  const isFirewalled = port.loadBalancerSourceRanges.length > 0;
  for (const { what, match, isLoadBalancer, isNodePort } of externalDestinations(port)) {
    if (endpoints.length === 0) {
      const localMatch = isNodePort ? `-m addrtype --dst-type LOCAL ${match}` : match;
      addRefusal(rules, 'KUBE-EXTERNAL-SERVICES', port, localMatch, hasAny);
      continue;
    }
    const into = isNodePort ? 'KUBE-NODEPORTS' : 'KUBE-SERVICES';
    const text = isNodePort ? port.name : `${port.name} ${what}`;
    const chain = isLoadBalancer && isFirewalled ? chains.firewall : chains.external;
    rules.add('nat', into, `${comment(text)} ${match} -j ${chain}`);
    if (isLoadBalancer && isFirewalled) {
      const refused = comment(`${port.name} traffic not accepted by ${chains.firewall}`);
      rules.add('filter', 'KUBE-PROXY-FIREWALL', `${refused} ${match} -j DROP`);
    }
  }
  if (endpoints.length === 0) return;
  if (isFirewalled && port.loadBalancerIps.length > 0) {
    for (const range of port.loadBalancerSourceRanges) {
      const text = comment(`${port.name} loadbalancer IP`);
      rules.add('nat', chains.firewall, `${text} -s ${range} -j ${chains.external}`);
    }
  }
  if (!port.isExternalLocal) {
    const text = comment(`masquerade traffic for ${port.name} external destinations`);
    rules.add('nat', chains.external, `${text} -j KUBE-MARK-MASQ`);
    rules.add('nat', chains.external, `-j ${chains.cluster}`);
    return;
  }
  if (options.clusterCidr !== undefined) {
    const text = comment(`pod traffic for ${port.name} external destinations`);
    rules.add('nat', chains.external, `${text} -s ${options.clusterCidr} -j ${chains.cluster}`);
  }
  const fromHere = '-m addrtype --src-type LOCAL';
  const masquerade = comment(`masquerade LOCAL traffic for ${port.name} external destinations`);
  rules.add('nat', chains.external, `${masquerade} ${fromHere} -j KUBE-MARK-MASQ`);
  const route = comment(`route LOCAL traffic for ${port.name} external destinations`);
  rules.add('nat', chains.external, `${route} ${fromHere} -j ${chains.cluster}`);
  rules.add('nat', chains.external, `-j ${chains.local}`);
}

/** Nobody answers: refuse, or drop when the endpoints are only on other nodes. */
function addRefusal(
  rules: RuleSet,
  chain: string,
  port: ServicePort,
  match: string,
  hasAny: boolean,
): void {
  const text = hasAny ? 'has no local endpoints' : 'has no endpoints';
  const action = hasAny ? 'DROP' : 'REJECT';
  rules.add('filter', chain, `${comment(`${port.name} ${text}`)} ${match} -j ${action}`);
}

function addBalancing(
  rules: RuleSet,
  port: ServicePort,
  chain: string,
  endpoints: readonly ServiceEndpoint[],
): void {
  if (port.affinitySeconds !== undefined) {
    for (const endpoint of endpoints) {
      const target = chainOf(port, endpoint);
      rules.add(
        'nat',
        chain,
        `${comment(`${port.name} -> ${addressOf(endpoint)}`)} -m recent --name ${target} ` +
          `--rcheck --seconds ${port.affinitySeconds} --reap -j ${target}`,
      );
    }
  }
  for (const [index, endpoint] of endpoints.entries()) {
    const left = endpoints.length - index;
    const chance =
      left === 1 ? '' : ` -m statistic --mode random --probability ${probability(left)}`;
    rules.add(
      'nat',
      chain,
      `${comment(`${port.name} -> ${addressOf(endpoint)}`)}${chance} -j ${chainOf(port, endpoint)}`,
    );
  }
}

function addEndpoint(rules: RuleSet, port: ServicePort, endpoint: ServiceEndpoint): void {
  const chain = chainOf(port, endpoint);
  const text = comment(port.name);
  rules.add('nat', chain, `${text} -s ${host(endpoint.ip)} -j KUBE-MARK-MASQ`);
  const affinity = port.affinitySeconds === undefined ? '' : ` -m recent --name ${chain} --set`;
  rules.add(
    'nat',
    chain,
    `${text}${affinity} -m ${port.protocol} -p ${port.protocol} -j DNAT ` +
      `--to-destination ${addressOf(endpoint)}`,
  );
}

function chainOf(port: ServicePort, endpoint: ServiceEndpoint): string {
  return endpointChain(port.name, port.protocol, addressOf(endpoint));
}

function addressOf({ ip, port }: ServiceEndpoint): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function host(ip: string): string {
  return ip.includes(':') ? `${ip}/128` : `${ip}/32`;
}

function probability(left: number): string {
  return (1 / left).toFixed(10);
}

function comment(text: string): string {
  return `-m comment --comment "${text}"`;
}
