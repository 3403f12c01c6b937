import type { Pod } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import { annotationsPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkImageBlanks } from './containers.ts';
import { checkEphemeralUpdate } from './ephemeral-update.ts';
import { checkPodAnnotations, mirrorAnnotation } from './pod-annotations.ts';
import { checkPodSpec } from './pod-spec.ts';
import { checkPodStatus } from './pod-status.ts';
import { checkPodUpdate } from './pod-update.ts';
import { checkProfileAnnotations } from './profile-annotations.ts';
import { checkResize } from './resize.ts';

export const podRules: KindRules<Pod> = {
  name: dns1123SubdomainErrors,
  check: checkPod,
  create(errors, { metadata, spec = {} }) {
    if (!isEmpty(spec.ephemeralContainers)) {
      errors.forbidden(specPath, 'ephemeralContainers', 'cannot be set on create');
    }
    if ((spec.nodeName ?? '') !== '' && !isEmpty(spec.schedulingGates)) {
      const detail = 'cannot be set until all schedulingGates have been cleared';
      errors.forbidden(specPath, 'nodeName', detail);
    }
    if (metadata?.annotations !== undefined) {
      checkProfileAnnotations(errors, specPath, metadata.annotations, spec);
    }
  },
  update: checkPodUpdate,
  subresources: {
    status: checkPodStatus,
    ephemeralcontainers(errors, pod, old) {
      checkPod(errors, pod, old);
      checkEphemeralUpdate(errors, pod, old);
    },
    resize(errors, pod, old) {
      checkPod(errors, pod, old);
      checkResize(errors, pod, old);
    },
  },
};

function checkPod(errors: ErrorList, pod: Unchecked<Pod>, old: Unchecked<Pod> | undefined): void {
  const { metadata, spec = {} } = pod;
  const annotations = metadata?.annotations;
  if (annotations !== undefined) {
    const before = old?.metadata?.annotations;
    checkPodAnnotations(errors, annotationsPath, annotations, spec, before);
  }
  checkPodSpec(errors, specPath, spec, {
    isTemplate: false,
    podName: metadata?.name ?? '',
    isMirror: annotations?.[mirrorAnnotation] !== undefined,
    old: old?.spec,
  });
  if ((spec.serviceAccountName ?? '') === '') checkNoTokens(errors, pod);
  checkImages(errors, pod);
}

function checkNoTokens(errors: ErrorList, { spec }: Unchecked<Pod>): void {
  (spec?.volumes ?? []).forEach(({ projected }, index) => {
    (projected?.sources ?? []).forEach((source, place) => {
      if (source.serviceAccountToken === undefined) return;
      const path = specPath.child('volumes').at(index).child('projected.sources').at(place);
      const detail = 'must not be specified when serviceAccountName is not set';
      errors.forbidden(path, 'serviceAccountToken', detail);
    });
  });
}

function checkImages(errors: ErrorList, { spec }: Unchecked<Pod>): void {
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = spec?.[list] ?? [];
    for (let index = 0; index < containers.length; index++) {
      const image = containers[index]?.image;
      if (image === undefined || image === image.trim()) continue;
      checkImageBlanks(errors, specPath.child(list).at(index), image);
    }
  }
}
