import { parseCidr } from '#base/cidr.ts';
import type { ServerSettings } from '../settings.ts';

/** An IP network as Go writes it to JSON: address text and mask in base64. */
interface GoNetwork {
  readonly IP: string;
  readonly Mask: string;
}

/**
 * The part of the server's settings that joining nodes take over (GET /v1-k3s/config), with the
 * field names of k3s. Holds no secret.
 */
export function clusterConfig(settings: ServerSettings): Record<string, unknown> {
  const clusterRanges = settings.clusterCidrs.map(goNetwork);
  const serviceRanges = settings.serviceCidrs.map(goNetwork);
  return {
    AdvertisePort: settings.advertisePort,
    AdvertiseIP: settings.advertiseAddress,
    HTTPSPort: settings.httpsPort,
    SupervisorPort: settings.httpsPort,
    APIServerPort: settings.httpsPort,
    ClusterIPRange: clusterRanges[0],
    ClusterIPRanges: clusterRanges,
    ServiceIPRange: serviceRanges[0],
    ServiceIPRanges: serviceRanges,
    ServiceNodePortRange: {
      Base: settings.nodePortRange.first,
      Size: settings.nodePortRange.last - settings.nodePortRange.first + 1,
    },
    ClusterDNS: settings.clusterDns[0],
    ClusterDNSs: settings.clusterDns,
    ClusterDomain: settings.clusterDomain,
    FlannelBackend: settings.flannelBackend,
    FlannelIPv6Masq: false,
    FlannelExternalIP: false,
    EgressSelectorMode: settings.egressSelectorMode,
    DisableAgent: settings.disableAgent,
    DisableKubeProxy: settings.disableKubeProxy,
    DisableNPC: settings.disableNetworkPolicy,
    DisableCCM: settings.disableCloudController,
    DisableHelmController: settings.disableHelmController,
    DisableServiceLB: settings.disabled.has('servicelb'),
    EmbeddedRegistry: false,
    MultiClusterCIDR: false,
    EncryptSecrets: false,
  };
}

function goNetwork(text: string): GoNetwork {
  const cidr = parseCidr(text);
  const widthBits = text.includes(':') ? 128 : 32;
  const mask = Buffer.alloc(widthBits / 8);
  for (let bit = 0; bit < cidr.prefixLength; bit++) {
    const index = bit >> 3;
    mask[index] = (mask[index] ?? 0) | (0x80 >> (bit & 7));
  }
  return { IP: text.split('/')[0] ?? '', Mask: mask.toString('base64') };
}
