import type { Flag } from './flags/flag.ts';
import type { ProcessStreams } from './process-streams.ts';

/** What a command gets from the process; tests hand in their own. */
export interface CommandContext {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The same as bytes, with stdin: for commands that stand for a program elsewhere. */
  readonly openStreams: () => ProcessStreams;
  /** Whether stdout is a terminal: colours and progress only then. */
  readonly isTerminal: boolean;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command of a family such as `k3ts token`, as help, completion and reference show it. */
export interface FamilyMember {
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Names of its arguments; absent when it takes none. */
  readonly argumentsText?: string;
}

/** A subcommand of k3ts, one file each under commands/. Its code is loaded when it is called. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Flags for help and completion; absent when the arguments go to another program. */
  readonly flags?: readonly Flag[];
  readonly usage?: string;
  /** Subcommands and fixed arguments, for completion. */
  readonly words?: readonly string[];
  /** Its own subcommands by name, when it is a family of them. */
  readonly family?: Readonly<Record<string, FamilyMember>>;
  /** Returns the exit code. Throws K3tsError for what the user can mend. */
  run(context: CommandContext): Promise<number>;
}
