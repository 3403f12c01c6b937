import { messageOf } from './errors.ts';
import type { LogFields, Logger } from './log.ts';

/** Tells of something that is tried again and again: once, and again when it fails otherwise. */
export interface ProblemLog {
  /** An error line for another text than the last one; a repetition is for debugging only. */
  failed(error: unknown): void;
  /** It works: says so when it did not, and forgets. */
  worked(): void;
}

/** `message` names what cannot be done, `recovered` what can be again. */
export function createProblemLog(options: {
  log: Logger;
  message: string;
  recovered: string;
  fields?: LogFields | undefined;
}): ProblemLog {
  const { log, message, fields = {} } = options;
  let last: string | undefined;
  return {
    failed(error) {
      const text = messageOf(error);
      const line = { ...fields, error: text };
      if (text === last) log.debug(message, line);
      else log.error(message, line);
      last = text;
    },
    worked() {
      if (last !== undefined) log.info(options.recovered, fields);
      last = undefined;
    },
  };
}
