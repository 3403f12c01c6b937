import { messageOf } from '#base/errors.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import { inspectSigningRequest, signSigningRequest } from '#pki/mod.ts';
import type { CertificateSigningRequest } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { addCondition, hasCondition, requestPem } from './request-conditions.ts';
import { signers } from './signers.ts';

const yearMs = 365 * 24 * 3_600_000;
/** For clocks that are behind. */
const backdateMs = 5 * 60_000;
/** Shorter certificates are not backdated at the cost of their life. */
const shortMs = 8 * 3_600_000;

/** Signs approved requests of the built-in signers with the cluster's authorities. */
export const startCertificateSigning: StartController = (context) => {
  const { client, informers, clock, random, log, signal, options } = context;
  const authorities = options.signers;
  if (authorities === undefined) return Promise.resolve();
  const requests = informers.informer<CertificateSigningRequest>(
    resources.certificateSigningRequests,
  );

  const sign = async (request: CertificateSigningRequest): Promise<void> => {
    const signer = signers[request.spec.signerName];
    if (signer === undefined) return;
    const pem = requestPem(request);
    const { usages = [], expirationSeconds } = request.spec;
    const fail = async (message: string): Promise<void> => {
      const condition = { type: 'Failed', reason: 'SignerValidationFailure', message };
      await addCondition(client, request, 'status', { ...condition, nowMs: clock.now() });
    };
    let refusal: string | undefined;
    try {
      refusal = signer.refusal(await inspectSigningRequest(pem), usages);
    } catch (error) {
      refusal = `unable to parse csr "${request.metadata.name}": ${messageOf(error)}`;
    }
    if (refusal !== undefined) {
      await fail(refusal);
      return;
    }
    const asked = (expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000;
    const lifeMs = Math.min(asked, options.signingDurationMs ?? yearMs);
    const notBeforeMs = clock.now() - backdateMs;
    const certificate = await signSigningRequest({
      pem,
      authority: authorities[signer.authority],
      usages,
      notBeforeMs,
      notAfterMs: (lifeMs < shortMs ? clock.now() : notBeforeMs) + lifeMs,
      serial: random.bytes(16),
    });
    const status = { ...request.status, certificate: Buffer.from(certificate).toString('base64') };
    const writeOptions = { subresource: 'status' };
    await client.update(resources.certificateSigningRequests, { ...request, status }, writeOptions);
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'certificatesigningrequest-signing-controller',
    clock,
    log,
    signal,
    ready: requests.synced(signal),
    async reconcile(key) {
      const request = requests.get(key);
      if (request === undefined || (request.status?.certificate ?? '') !== '') return;
      const isApproved = hasCondition(request, 'Approved') && !hasCondition(request, 'Denied');
      if (!isApproved || hasCondition(request, 'Failed')) return;
      try {
        await sign(request);
      } catch (error) {
        if (!isObjectGone(error, request)) throw error;
      }
    },
  });
  requests.addHandler({
    onAdd: ({ metadata }) => loop.queue.add(metadata.name),
    onUpdate: (_old, { metadata }) => loop.queue.add(metadata.name),
  });
  return loop.done;
};
