import { flagName } from './field.ts';
import type { FieldEffect, KubeletField } from './field.ts';
import { fieldTable } from './field-table.ts';
import { processFlags } from './process-flags.ts';

const sections: readonly (readonly [FieldEffect, string, string])[] = [
  ['acts', 'Obeyed', 'These do what they do in the kubelet of Kubernetes 1.36.'],
  ['ignored', 'Accepted without effect', 'A line in the log names the ones that were given.'],
  [
    'refused',
    'Refused',
    'Another value than the one shown ends the start with exit code 1 and the reason given here.',
  ],
];

/** The page docs/reference/kubelet.md. */
export function renderKubeletReference(): string {
  const lines = [
    '# Configuration of the kubelet',
    '',
    '`--kubelet-arg name=value` (repeated for several, `name` alone means `name=true`) sets a flag of the',
    'kubelet. Configuration files of kind KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`) are read',
    'from `<data-dir>/agent/etc/kubelet.conf.d/*.conf` in the order of their names, from another directory',
    'with `--kubelet-arg config-dir=DIR`, and before those from one file with `--kubelet-arg config=FILE`.',
    'Flags win over drop-ins, drop-ins over the file; maps are merged by key, lists are replaced.',
    'An unknown name ends the start with `unknown flag: --name` or `strict decoding error: unknown field`.',
    'What is in force is shown by `kubectl get --raw /api/v1/nodes/NODE/proxy/configz`.',
    '',
    'Made from `src/kubelet/configuration` by `npm run generate:docs`.',
    '',
  ];
  const fields: [string, KubeletField][] = Object.entries(fieldTable);
  for (const [effect, title, text] of sections) {
    const isActing = effect === 'acts';
    lines.push(`## ${title}`, '', text, '');
    lines.push(isActing ? '| field | flag | default |' : '| field | flag | default | why |');
    lines.push(isActing ? '| --- | --- | --- |' : '| --- | --- | --- | --- |');
    const rows = fields.filter(([, field]) => field.effect === effect);
    for (const [name, field] of rows.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const flag = flagName(name, field);
      const shown = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
      const cells = [`\`${name}\``, flag === 'none' ? '' : `\`${flag}\``, shown];
      if (!isActing) cells.push(field.why ?? '');
      lines.push(`| ${cells.join(' | ')} |`);
    }
    lines.push('');
  }
  lines.push('## Flags that are no fields', '', '| flag | effect | why |', '| --- | --- | --- |');
  for (const [name, { effect, why = '' }] of Object.entries(processFlags)) {
    lines.push(`| \`${name}\` | ${effect} | ${why} |`);
  }
  return `${lines.join('\n')}\n`;
}
