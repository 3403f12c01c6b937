export type Table = 'nat' | 'filter';

/** Rules by table and chain; chains in the order in which they were first named. */
export class RuleSet {
  readonly #tables: Record<Table, Map<string, string[]>> = { nat: new Map(), filter: new Map() };

  /** Names a chain, so that it exists even without rules. */
  chain(table: Table, chain: string): void {
    if (!this.#tables[table].has(chain)) this.#tables[table].set(chain, []);
  }

  /** Appends a rule, without `-A CHAIN`. */
  add(table: Table, chain: string, rule: string): void {
    this.chain(table, chain);
    this.#tables[table].get(chain)?.push(rule);
  }

  chains(table: Table): ReadonlyMap<string, readonly string[]> {
    return this.#tables[table];
  }
}

const tables: readonly Table[] = ['filter', 'nat'];

/**
 * The iptables-restore batch that leads from one rule set to the next: changed chains are written
 * anew, vanished ones removed. Empty when nothing changed.
 */
export function renderChanges(before: RuleSet, after: RuleSet): string {
  const lines: string[] = [];
  for (const table of tables) {
    const declarations: string[] = [];
    const rules: string[] = [];
    const removals: string[] = [];
    const old = before.chains(table);
    for (const [chain, wanted] of after.chains(table)) {
      if (isSame(old.get(chain), wanted)) continue;
      declarations.push(`:${chain} - [0:0]`);
      for (const rule of wanted) rules.push(`-A ${chain} ${rule}`);
    }
    for (const chain of old.keys()) {
      if (after.chains(table).has(chain)) continue;
      // Naming it empties it; by then nothing jumps there any more.
      declarations.push(`:${chain} - [0:0]`);
      removals.push(`-X ${chain}`);
    }
    if (declarations.length === 0) continue;
    lines.push(`*${table}`, ...declarations, ...rules, ...removals, 'COMMIT');
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function isSame(a: readonly string[] | undefined, b: readonly string[]): boolean {
  return a !== undefined && a.length === b.length && a.every((rule, index) => rule === b[index]);
}
