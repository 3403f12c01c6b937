import type { Readable, Writable } from 'node:stream';

/** stdin, stdout and stderr of this process, and what can be asked of the terminal behind them. */
export interface ProcessStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether input comes from a terminal and output goes to one. */
  readonly isTerminal: boolean;
  /** Hands keys on as they are typed, Ctrl-C among them. Without effect where there is no terminal. */
  setRawMode(isRaw: boolean): void;
  /** Columns and rows of the terminal now and after each change; returns how to stop. */
  watchSize(listener: (columns: number, rows: number) => void): () => void;
}

export function openProcessStreams(): ProcessStreams {
  const { stdin, stdout, stderr } = process;
  return {
    stdin,
    stdout,
    stderr,
    isTerminal: stdin.isTTY && stdout.isTTY,
    setRawMode(isRaw) {
      if (stdin.isTTY) stdin.setRawMode(isRaw);
    },
    watchSize(listener) {
      const tell = (): void => listener(stdout.columns, stdout.rows);
      if (!stdout.isTTY) return () => undefined;
      tell();
      stdout.on('resize', tell);
      return () => void stdout.off('resize', tell);
    },
  };
}
