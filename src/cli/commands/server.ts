import { createLogger } from '#base/log.ts';
import { systemClock } from '#base/clock.ts';
import { systemRandom } from '#base/random.ts';
import type { Command } from '../command.ts';
import { agentFlags, commonFlags } from '../flags/agent-flags.ts';
import { stringFlag } from '../flags/flag.ts';
import { serverFlags } from '../flags/server-flags.ts';
import { keepMemorySmall } from '../idle-memory.ts';
import { logSteps } from '../log-steps.ts';
import { openLog } from '../log-output.ts';
import { requireRoot } from '../require-root.ts';
import { readLocalAgentSettings } from '../settings/agent-settings.ts';
import { loadFlags } from '../settings/load-flags.ts';
import { readServerSettings } from '../settings/server-settings.ts';

/** Runs the control plane and, as a child process, the agent of this node. */
export const serverCommand: Command = {
  name: 'server',
  summary: 'Run management server',
  flags: [...commonFlags, ...serverFlags, ...agentFlags],
  async run(context) {
    const values = loadFlags(this.flags ?? [], context);
    const settings = await readServerSettings(values);
    requireRoot('server');
    // The arguments may hold secrets and show in the process list.
    process.title = 'k3ts server';
    const log = createLogger({
      level: settings.debug ? 'debug' : 'info',
      now: () => systemClock.now(),
      write: openLog(values, context.stderr),
    });
    if (settings.debug) logSteps(log);
    // The agent loads its code while the server does.
    const { startAgentProcess } = await import('#server/agent-process/mod.ts');
    const agent = settings.disableAgent
      ? undefined
      : startAgentProcess({
          agent: {
            command: process.execPath,
            args: [
              ...process.execArgv,
              ...(process.argv[1] === undefined ? [] : [process.argv[1]]),
            ],
            settings: {
              ...(await readLocalAgentSettings(values, settings)),
              debug: settings.debug,
            },
            logFile: stringFlag(values, 'log'),
          },
          environment: process.env,
          clock: systemClock,
          log,
        });
    try {
      const { runServer } = await import('#server/mod.ts');
      keepMemorySmall({ clock: systemClock, log, signal: context.signal });
      await runServer({
        settings,
        agent,
        clock: systemClock,
        random: systemRandom,
        log,
        signal: context.signal,
      });
    } finally {
      await agent?.stop();
    }
    return 0;
  },
};
