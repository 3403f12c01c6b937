import type { CommandContext } from '../command.ts';
import { readConfigFile } from '../flags/config-file.ts';
import type { Flag, FlagValues } from '../flags/flag.ts';
import { parseArguments, refuseNotBuilt, resolveFlags } from '../flags/parse.ts';
import { K3tsError } from '#base/errors.ts';

/**
 * Brings command line, config files and environment together. Throws `Usage` for what is wrong and
 * `NotBuilt` for what k3s has and k3ts has not yet.
 */
export function loadFlags(flags: readonly Flag[], context: CommandContext): FlagValues {
  const { raw, positionals } = parseArguments(flags, context.args);
  const [unexpected] = positionals;
  if (unexpected !== undefined) {
    throw new K3tsError('Usage', `unexpected argument "${unexpected}"`);
  }
  const empty = new Map();
  const early = resolveFlags(flags, {
    commandLine: raw,
    configFile: empty,
    environment: context.environment,
  });
  const config = readConfigFile(String(early.values.get('config')), {
    explicit: early.given.has('config'),
    flags,
  });
  const { values, given } = resolveFlags(flags, {
    commandLine: raw,
    configFile: config.raw,
    environment: context.environment,
  });
  for (const warning of config.warnings) context.stderr(`k3ts: ${warning}\n`);
  for (const flag of flags) {
    if (flag.deprecated !== undefined && given.has(flag.name)) {
      context.stderr(`k3ts: --${flag.name} is deprecated: ${flag.deprecated}\n`);
    }
  }
  refuseNotBuilt(flags, values, given);
  return values;
}
