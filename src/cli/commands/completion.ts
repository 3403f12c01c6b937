import { K3tsError } from '#base/errors.ts';
import type { Command, CommandContext } from '../command.ts';
import { commands } from '../commands.ts';
import type { Flag } from '../flags/flag.ts';

const usage = 'k3ts completion bash|zsh [-i]   (-i: add it to ~/.bashrc or ~/.zshrc)';

/** Prints a script that completes subcommands and flags, or with -i adds it to the shell's file. */
export const completionCommand: Command = {
  name: 'completion',
  summary: 'Install shell completion script',
  usage,
  words: ['bash', 'zsh'],
  async run(context) {
    const [shell, option] = context.args;
    if (shell !== 'bash' && shell !== 'zsh') throw new K3tsError('Usage', `usage: ${usage}`);
    if (option !== undefined && option !== '-i') throw new K3tsError('Usage', `usage: ${usage}`);
    if (option === '-i') return await install(shell, context);
    context.stdout(await renderCompletion(shell));
    return 0;
  },
};

/**
 * The script for one shell; zsh reads bash's form after its own preparation. Words after `kubectl`
 * are kubectl's to complete: it asks the cluster.
 */
export async function renderCompletion(shell: 'bash' | 'zsh'): Promise<string> {
  const cases: string[] = [];
  for (const [name, entry] of Object.entries(commands)) {
    if (entry.isHidden === true) continue;
    const { flags = [], words = [], family } = await entry.load();
    if (family !== undefined) cases.push(familyCase(name, family));
    else if (name !== 'kubectl') {
      const all = [...words, ...flagNames(flags), ...(name === 'ctr' ? [] : ['--help'])];
      cases.push(`    ${name}) words="${all.join(' ')}" ;;`);
    }
  }
  const prepare = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  const names = Object.entries(commands)
    .filter(([, entry]) => entry.isHidden !== true)
    .map(([name]) => name);
  return `${prepare}_k3ts() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -le 1 ]; then
    words="${names.join(' ')} --help --version"
  else
    case "\${COMP_WORDS[1]}" in
    kubectl)
      words=$(k3ts kubectl __complete "\${COMP_WORDS[@]:2:COMP_CWORD-1}" 2>/dev/null | sed -e '/^:/d' -e 's/\t.*//')
      ;;
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _k3ts k3ts
`;
}

function flagNames(flags: readonly Flag[]): string[] {
  return flags.filter((flag) => flag.hidden !== true).map((flag) => `--${flag.name}`);
}

/** The words of a family's commands, then the flags of the one that was chosen. */
function familyCase(name: string, family: NonNullable<Command['family']>): string {
  const members = Object.entries(family).map(
    ([word, { flags }]) => `      ${word}) words="${[...flagNames(flags), '--help'].join(' ')}" ;;`,
  );
  return `    ${name})
      words="${Object.keys(family).join(' ')} --help"
      [ "$COMP_CWORD" -le 2 ] || case "\${COMP_WORDS[2]}" in
${members.join('\n')}
      esac ;;`;
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
