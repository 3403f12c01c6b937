import { K3tsError } from '#base/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { commands } from '../commands.ts';

const usage = 'usage: k3ts completion bash|zsh [-i]';

/** Prints a script that completes subcommands and flags, or with -i adds it to the shell's file. */
export const completionCommand: Command = {
  name: 'completion',
  summary: 'Install shell completion script',
  async run(context) {
    const [shell, option] = context.args;
    if (shell !== 'bash' && shell !== 'zsh') throw new K3tsError('Usage', usage);
    if (option !== undefined && option !== '-i') throw new K3tsError('Usage', usage);
    if (option === '-i') return await install(shell, context);
    context.stdout(await renderCompletion(shell));
    return 0;
  },
};

/** The script for one shell; zsh reads bash's form after its own preparation. */
export async function renderCompletion(shell: 'bash' | 'zsh'): Promise<string> {
  const cases: string[] = [];
  for (const [name, entry] of Object.entries(commands)) {
    const { flags } = await entry.load();
    if (flags === undefined) continue;
    const names = flags.filter((flag) => flag.hidden !== true).map((flag) => `--${flag.name}`);
    cases.push(`    ${name}) words="${names.join(' ')}" ;;`);
  }
  const prepare = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return `${prepare}_k3ts() {
  local words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="${Object.keys(commands).join(' ')}" ;;
  esac
  [ "$COMP_CWORD" -gt 1 ] || words="${Object.keys(commands).join(' ')} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _k3ts k3ts
`;
}

async function install(shell: 'bash' | 'zsh', context: CommandContext): Promise<number> {
  const { appendFile, readFile } = await import('node:fs/promises');
  const home = context.environment['HOME'];
  if (home === undefined) throw new K3tsError('Usage', 'HOME is not set');
  const file = `${home}/.${shell}rc`;
  const line = `source <(k3ts completion ${shell})`;
  const content = await readFile(file, 'utf8').catch(() => '');
  if (!content.includes(line)) {
    await appendFile(
      file,
      `\n# >> k3ts command completion (start)\n${line}\n# >> k3ts command completion (end)\n`,
    );
  }
  context.stdout(`Completion is set up in ${file}; open a new shell to use it\n`);
  return 0;
}
