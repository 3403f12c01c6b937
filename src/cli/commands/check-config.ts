import { K3tsError, messageOf } from '#base/errors.ts';
import type { Check, CheckResult, CheckState } from '../check-config/check.ts';
import { kernelChecks } from '../check-config/kernel-checks.ts';
import { machineChecks } from '../check-config/machine-checks.ts';
import { networkChecks } from '../check-config/network-checks.ts';
import { programChecks } from '../check-config/program-checks.ts';
import type { Command } from '../command.ts';
import type { Flag } from '../flags/flag.ts';
import { stringFlag } from '../flags/flag.ts';
import { parseArguments, resolveFlags } from '../flags/parse.ts';

const flags: readonly Flag[] = [
  {
    name: 'output',
    short: 'o',
    type: 'string',
    default: 'text',
    help: 'Output format: text or json',
    group: 'output',
  },
];

const marks: Record<CheckState, string> = { ok: 'ok', limited: 'LIMITED', missing: 'MISSING' };
const colours: Record<CheckState, string> = { ok: '32', limited: '33', missing: '31' };

/** Says in plain words what this kernel and machine lack; fails when pods cannot run. */
export const checkConfigCommand: Command = {
  name: 'check-config',
  summary: 'Say what this kernel and machine lack',
  flags,
  async run(context) {
    const { raw } = parseArguments(flags, context.args);
    const { values } = resolveFlags(flags, {
      commandLine: raw,
      configFile: new Map(),
      environment: {},
    });
    const output = stringFlag(values, 'output');
    if (output !== 'text' && output !== 'json') {
      throw new K3tsError('Usage', `invalid --output "${output ?? ''}": text or json expected`);
    }
    const path = `${context.environment['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/local/bin`;
    const checks = [...kernelChecks, ...networkChecks, ...programChecks(path), ...machineChecks];
    const results = await runChecks(checks);
    if (output === 'json') {
      context.stdout(`${JSON.stringify(results, undefined, 2)}\n`);
    } else {
      context.stdout(renderText(results, context.isTerminal));
      if (process.getuid?.() !== 0) {
        context.stdout('Not root: what could not be tried counts as missing; try it with sudo\n');
      }
    }
    return results.some((result) => result.state === 'missing') ? 1 : 0;
  },
};

type NamedResult = CheckResult & { group: string; name: string };

async function runChecks(checks: readonly Check[]): Promise<NamedResult[]> {
  const results: NamedResult[] = [];
  for (const check of checks) {
    const { group, name } = check;
    try {
      results.push({ group, name, ...(await check.run()) });
    } catch (error) {
      results.push({
        group,
        name,
        state: 'limited',
        found: 'unknown',
        consequence: messageOf(error),
      });
    }
  }
  return results;
}

function renderText(results: readonly NamedResult[], hasColours: boolean): string {
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines: string[] = [];
  let group = '';
  for (const result of results) {
    if (result.group !== group) lines.push(`${group === '' ? '' : '\n'}${result.group}:`);
    group = result.group;
    const mark = marks[result.state].padEnd(7);
    const coloured = hasColours ? `\u001B[${colours[result.state]}m${mark}\u001B[0m` : mark;
    const note = result.consequence === undefined ? '' : `: ${result.consequence}`;
    lines.push(`  ${coloured} ${result.name.padEnd(width)}  ${result.found}${note}`);
  }
  const lacking = results.filter(({ state }) => state === 'missing').length;
  lines.push(
    '',
    lacking === 0
      ? 'k3ts can run here'
      : `k3ts cannot run pods here: ${lacking} missing, see above`,
  );
  return `${lines.join('\n')}\n`;
}
