import { K3tsError } from '#base/errors.ts';
import { resources, startControllerLoop } from '#client/mod.ts';
import { inspectSigningRequest } from '#pki/mod.ts';
import type { CertificateSigningRequest, SubjectAccessReview } from '#schema/types.ts';
import type { StartController } from '../context.ts';
import { isObjectGone } from '../owner-gone.ts';
import { addCondition, hasCondition, requestPem } from './request-conditions.ts';
import { kubeletClientRefusal } from './signers.ts';

const signerName = 'kubernetes.io/kube-apiserver-client-kubelet';

/** Approves the client certificates of kubelets whose user may have them. */
export const startCertificateApproving: StartController = (context) => {
  const { client, informers, clock, log, signal } = context;
  const requests = informers.informer<CertificateSigningRequest>(
    resources.certificateSigningRequests,
  );

  const mayHave = async (
    request: CertificateSigningRequest,
    subresource: string,
  ): Promise<boolean> => {
    const { username = '', uid, groups, extra } = request.spec;
    const review: SubjectAccessReview = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { name: '' },
      spec: {
        user: username,
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          subresource,
        },
      },
    };
    const answer = await client.create(resources.subjectAccessReviews, review);
    return answer.status?.allowed === true;
  };

  const approve = async (request: CertificateSigningRequest): Promise<void> => {
    const { username = '', usages = [] } = request.spec;
    const facts = await inspectSigningRequest(requestPem(request)).catch(() => undefined);
    if (facts === undefined || kubeletClientRefusal(facts, usages) !== undefined) return;
    const isSelf = facts.commonName === username;
    const recognizers = [
      ...(isSelf ? [['selfnodeclient', 'self kubelet']] : []),
      ['nodeclient', 'kubelet'],
    ] as const;
    for (const [subresource = '', who] of recognizers) {
      if (!(await mayHave(request, subresource))) continue;
      const message = `Auto approving ${who} client certificate after SubjectAccessReview.`;
      const condition = { type: 'Approved', reason: 'AutoApproved', message, nowMs: clock.now() };
      await addCondition(client, request, 'approval', condition);
      return;
    }
    throw new K3tsError(
      'NotAllowed',
      `recognized csr "${request.metadata.name}" as ["selfnodeclient" "nodeclient"] but subject access review was not approved`,
    );
  };

  const loop = startControllerLoop({
    meter: context.queueMeter,
    name: 'certificatesigningrequest-approving-controller',
    clock,
    log,
    signal,
    ready: requests.synced(signal),
    async reconcile(key) {
      const request = requests.get(key);
      if (request === undefined || (request.status?.certificate ?? '') !== '') return;
      if (request.spec.signerName !== signerName) return;
      if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return;
      try {
        await approve(request);
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
