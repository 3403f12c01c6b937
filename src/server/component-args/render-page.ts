import type { ArgEffect, ArgTable } from './argument.ts';

const endings: Readonly<
  Record<ArgEffect, readonly [title: string, text: (name: string) => string]>
> = {
  acts: ['Obeyed', (component) => `These do what they do in ${component}.`],
  ignored: ['Accepted without effect', () => 'A line in the log names the ones that were given.'],
  refused: ['Refused', () => 'The start ends with exit code 1 and the reason given here.'],
};

/** A page of docs/reference about the arguments of one component. */
export function renderArgsPage(component: string, folder: string, table: ArgTable): string {
  const lines = [
    `# Arguments of ${component}`,
    '',
    `\`--${component}-arg name=value\` (repeated for several, \`name\` alone means \`name=true\`) sets a`,
    `flag of ${component}. Every flag of Kubernetes 1.36 is in one of these tables; any other name`,
    `ends the start with \`unknown flag: --name\`. Made from \`${folder}\`.`,
    '',
  ];
  for (const effect of ['acts', 'ignored', 'refused'] as const) {
    const rows = Object.entries(table).filter(([, arg]) => arg.effect === effect);
    if (rows.length === 0) continue;
    const [title, text] = endings[effect];
    lines.push(`## ${title}`, '', text(component), '');
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
