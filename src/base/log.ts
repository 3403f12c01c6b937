/** Values that a log line may carry beside its message. */
export type LogFields = Record<string, string | number | boolean | undefined>;

export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

const levelRank: Record<LogLevel, number> = { debug: 0, info: 1, warning: 2, error: 3 };

/** Writes one line a call; child loggers add their fields to each line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

export interface LoggerOptions {
  level: LogLevel;
  now: () => number;
  write: (line: string) => void;
  fields?: LogFields;
}

/** A logger in logfmt, the form of k3s: time="…" level=info msg="…" key=value. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, now, write, fields = {} } = options;
  const emit = (lineLevel: LogLevel, message: string, extra: LogFields | undefined): void => {
    if (levelRank[lineLevel] < levelRank[level]) return;
    const time = new Date(now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
    let line = `time="${time}" level=${lineLevel} msg=${JSON.stringify(message)}`;
    for (const [key, value] of Object.entries({ ...fields, ...extra })) {
      if (value !== undefined) line += ` ${key}=${formatValue(value)}`;
    }
    write(`${line}\n`);
  };
  return {
    debug: (message, extra) => emit('debug', message, extra),
    info: (message, extra) => emit('info', message, extra),
    warning: (message, extra) => emit('warning', message, extra),
    error: (message, extra) => emit('error', message, extra),
    with: (more) => createLogger({ ...options, fields: { ...fields, ...more } }),
  };
}

function formatValue(value: string | number | boolean): string {
  const text = String(value);
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}

/** A logger that drops everything, for tests. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  with: () => silentLogger,
};
