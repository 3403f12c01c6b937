import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import { createLogger } from '#base/log.ts';
import type { Logger } from '#base/log.ts';
import { checkCertificates } from '../certificate/check-certificates.ts';
import { logReport, renderReportData, renderReportTable } from '../certificate/render-report.ts';
import { rotateCertificates } from '../certificate/rotate-certificates.ts';
import { agentServices, allServices, isService } from '../certificate/services.ts';
import type { Command } from '../command.ts';
import { commonFlags } from '../flags/agent-flags.ts';
import { booleanFlag, listFlag, stringFlag } from '../flags/flag.ts';
import type { Flag } from '../flags/flag.ts';
import { openLog } from '../log-output.ts';
import { readDataDir } from '../settings/data-dir.ts';
import { createFamily } from '../subcommands.ts';
import type { SubcommandCall } from '../subcommands.ts';

const taken = new Set(['debug', 'config', 'log', 'alsologtostderr', 'data-dir']);
const flags: readonly Flag[] = [
  ...commonFlags.filter(({ name }) => taken.has(name)),
  {
    name: 'service',
    type: 'list',
    short: 's',
    help: `Services whose certificates are meant (default: all of this machine): ${allServices.join(', ')}`,
    group: 'certificate',
  },
];
const output: Flag = {
  name: 'output',
  type: 'string',
  short: 'o',
  default: 'text',
  help: 'Format output: text, table, json or yaml',
  group: 'certificate',
};

/** The certificates on disk of this machine's server and agent. */
export const certificateCommand: Command = createFamily({
  name: 'certificate',
  summary: 'Manage k3ts certificates',
  subcommands: {
    check: {
      summary: 'Check component certificates on disk',
      flags: [...flags, output],
      run: check,
    },
    rotate: {
      summary: 'Rotate component certificates on disk; takes effect at the next start',
      flags,
      run: rotate,
    },
    'rotate-ca': {
      summary: 'Write updated CA certificates to the datastore (not built yet)',
      flags,
      run() {
        throw new K3tsError('NotBuilt', '"certificate rotate-ca" is not built into k3ts yet');
      },
    },
  },
});

async function check(call: SubcommandCall): Promise<number> {
  const { context, values } = call;
  const format = stringFlag(values, 'output') ?? 'text';
  if (format !== 'text' && format !== 'table' && format !== 'json' && format !== 'yaml') {
    throw new K3tsError('Usage', `invalid output format ${format}`);
  }
  const { dataDir, services, log } = prepare(call, 'checking');
  const reports = await checkCertificates(dataDir, services, systemClock.now());
  if (format === 'text') logReport(reports, log);
  else if (format === 'table') context.stdout(renderReportTable(reports));
  else context.stdout(renderReportData(reports, format));
  return 0;
}

async function rotate(call: SubcommandCall): Promise<number> {
  const { dataDir, services, log } = prepare(call, 'rotating');
  const backup = await rotateCertificates({ dataDir, services, nowMs: systemClock.now(), log });
  log.info(
    `Successfully backed up certificates to ${backup}, ` +
      'please restart k3ts server or agent to rotate certificates',
  );
  return 0;
}

function prepare(
  { context, values }: SubcommandCall,
  doing: string,
): { dataDir: string; services: readonly string[]; log: Logger } {
  const dataDir = readDataDir(values);
  const log = createLogger({
    level: booleanFlag(values, 'debug') ? 'debug' : 'info',
    now: () => systemClock.now(),
    write: openLog(values, context.stderr),
  });
  const wanted = listFlag(values, 'service');
  for (const service of wanted) {
    if (isService(service)) continue;
    throw new K3tsError(
      'Usage',
      `service ${service} is not recognized; known: ${allServices.join(', ')}`,
    );
  }
  const isServer = existsSync(join(dataDir, 'server'));
  if (!isServer && !existsSync(join(dataDir, 'agent'))) {
    throw new K3tsError(
      'Usage',
      `there is no server or agent in ${dataDir}; --data-dir names another directory`,
    );
  }
  if (wanted.length > 0) return { dataDir, services: wanted, log };
  const [who, whose] = isServer ? ['Server', 'agent and server'] : ['Agent', 'agent'];
  log.info(`${who} detected, ${doing} ${whose} certificates`);
  return { dataDir, services: isServer ? allServices : agentServices, log };
}
