import { disablingProblem, enablingProblem } from '#apiserver/admission/mod.ts';
import { acts, refused } from '../component-args/argument.ts';

const later = 'not built yet';

/** Admission and which APIs are served. */
export const admissionArgs = {
  'admission-control-config-file': acts('text', ''),
  'admission-control': refused('list', 'use enable-admission-plugins'),
  'enable-admission-plugins': acts('list', '', { check: enablingProblem }),
  'disable-admission-plugins': acts('list', '', { check: disablingProblem }),
  'default-not-ready-toleration-seconds': acts('integer', '300'),
  'default-unreachable-toleration-seconds': acts('integer', '300'),
  'runtime-config': refused('list', later),
} as const;
