/**
 * Processes that ended by themselves, from the log of a supervisor: those that the soak killed
 * ended by SIGKILL, everything else is an error that nobody caught.
 */
export function unplannedEnds(log: string): string[] {
  const ends = log.split('\n').flatMap((line) => {
    const [, name, what] = /msg="(\w+) ended, restarting it.* what="([^"]*)"/.exec(line) ?? [];
    return name === undefined || what?.includes('SIGKILL') === true ? [] : [`${name}: ${what}`];
  });
  return [...new Set(ends)].map((end) => {
    const count = ends.filter((other) => other === end).length;
    return `ended by itself, ${count} times: ${end}`;
  });
}
