import { apiServerArgTable } from './arg-values.ts';
import type { ApiServerArg, ArgEffect } from './argument.ts';

const sections: readonly (readonly [ArgEffect, string, string])[] = [
  ['acts', 'Obeyed', 'These do what they do in kube-apiserver.'],
  ['ignored', 'Accepted without effect', 'A line in the log names the ones that were given.'],
  ['refused', 'Refused', 'The start ends with exit code 1 and the reason given here.'],
];

/** The page docs/reference/kube-apiserver-args.md. */
export function renderArgsReference(): string {
  const lines = [
    '# Arguments of kube-apiserver',
    '',
    '`--kube-apiserver-arg name=value` (repeated for several, `name` alone means `name=true`) sets a',
    'flag of kube-apiserver. Every flag of Kubernetes 1.36 is in one of these tables; any other name',
    'ends the start with `unknown flag: --name`. Made from `src/server/api-server-args`.',
    '',
  ];
  const entries: [string, ApiServerArg][] = Object.entries(apiServerArgTable);
  for (const [effect, title, text] of sections) {
    const rows = entries.filter(([, arg]) => arg.effect === effect);
    if (rows.length === 0) continue;
    lines.push(`## ${title}`, '', text, '');
    const isActing = effect === 'acts';
    lines.push(isActing ? '| name | kind | default |' : '| name | why |');
    lines.push(isActing ? '| --- | --- | --- |' : '| --- | --- |');
    for (const [name, arg] of rows.sort(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(
        isActing
          ? `| \`${name}\` | ${arg.kind} | ${arg.default === '' ? '' : `\`${arg.default}\``} |`
          : `| \`${name}\` | ${arg.why ?? ''} |`,
      );
    }
    lines.push('');
  }
  return lines.join('\n');
}
