import { isUpgrade } from '#streaming/mod.ts';
import { badRequest, methodNotAllowed } from '../api-errors.ts';
import type { ConnectHandler } from '../connect-hook.ts';
import { authorize } from '../pipeline/authorize.ts';
import type { RequestInfo } from '../request.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { UpgradeInput } from './kubelet-upgrade.ts';
import { chooseContainer, findPod, locatePodKubelet } from './node-location.ts';
import { streamPodLog } from './pod-log.ts';
import type { RequestInput } from './pod-log.ts';
import { connectPortForward } from './port-forward.ts';
import { proxyConnection, proxyRequest } from './proxy.ts';
import { connectRemoteCommand } from './remote-command.ts';

type Upgrade = (options: ConnectOptions, input: UpgradeInput) => Promise<void>;

/** Subresources that are protocol switches and nothing else. */
const switching: Readonly<Record<string, Upgrade>> = {
  'pods/exec': connectRemoteCommand,
  'pods/attach': connectRemoteCommand,
  'pods/portforward': connectPortForward,
};

const proxies: ReadonlySet<string> = new Set(['pods/proxy', 'services/proxy', 'nodes/proxy']);

/**
 * The subresources that lead out of the API server: exec, attach, portforward and log to kubelets,
 * proxy to pods, services and nodes.
 */
export function createConnectHandler(options: ConnectOptions): ConnectHandler {
  return {
    handles(info) {
      const key = keyOf(info);
      return key in switching || key === 'pods/log' || proxies.has(key);
    },
    async request(input) {
      const key = keyOf(input.context.info);
      if (key === 'pods/log') await streamPodLog(options, input);
      else if (proxies.has(key)) await proxyRequest(options, input);
      else throw refusal(options, input);
    },
    async upgrade(input) {
      const { context, request, socket } = input;
      // A client that breaks off closes the socket, and that is what everybody looks at.
      socket.on('error', () => undefined);
      if (!isUpgrade(request.headers)) throw badRequest('Upgrade request required');
      const key = keyOf(context.info);
      const handler = proxies.has(key) ? proxyConnection : switching[key];
      if (handler === undefined) throw badRequest('Upgrade request required');
      if (key in switching) {
        checkMethod(context);
        // Browsers can open WebSockets with GET from any page: reading is not enough.
        if (context.info.verb === 'get') {
          await authorize(options.authorizer, context, { verb: 'create' });
        }
      }
      await handler(options, input);
    },
  };
}

function keyOf(info: RequestInfo): string {
  return info.group === '' && info.name !== '' ? `${info.resource}/${info.subresource}` : '';
}

function checkMethod({ info, resource }: UpgradeInput['context']): void {
  if (info.verb !== 'get' && info.verb !== 'create') throw methodNotAllowed(resource, info.verb);
}

/** What is wrong with the pod comes before what is wrong with the request, as upstream. */
function refusal({ reader }: ConnectOptions, { context }: RequestInput): Error {
  checkMethod(context);
  const { info, query } = context;
  const pod = findPod(reader, info.namespace, info.name);
  if (info.subresource !== 'portforward') chooseContainer(pod, query.get('container') ?? '');
  locatePodKubelet(reader, pod);
  return badRequest('Upgrade request required');
}
