/** The parts of a resolv.conf that matter to pods and forwarding. */
export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Reads resolv.conf as the C library does: the last search line counts, unknown lines are skipped. */
export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let search: string[] = [];
  let options: string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    const [first] = values;
    if (first === undefined) continue;
    if (keyword === 'nameserver') nameservers.push(first);
    if (keyword === 'search' || keyword === 'domain') search = values;
    if (keyword === 'options') options = values;
  }
  return { nameservers, search, options };
}
