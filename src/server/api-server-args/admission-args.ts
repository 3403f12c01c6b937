import { refused } from './argument.ts';

const later = 'not built yet';

/** Admission and which APIs are served. */
export const admissionArgs = {
  'admission-control-config-file': refused('text', later),
  'admission-control': refused('list', 'use enable-admission-plugins'),
  'enable-admission-plugins': refused('list', later),
  'disable-admission-plugins': refused('list', later),
  'default-not-ready-toleration-seconds': refused('integer', later),
  'default-unreachable-toleration-seconds': refused('integer', later),
  'runtime-config': refused('list', later),
} as const;
