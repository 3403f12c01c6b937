import { Transform } from 'node:stream';

export interface LinkContext {
  /** Path of the proxy before the backend's own: `/api/v1/namespaces/n/pods/p/proxy`. */
  prefix: string;
  /** Hosts by which the backend may call itself in links. */
  hosts: readonly string[];
}

/**
 * A link of a page or redirect of the backend as it works through the proxy. Relative links and
 * links to other hosts stay as they are, like upstream's.
 */
export function rewriteLink(link: string, { prefix, hosts }: LinkContext): string {
  const absolute = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(link);
  let path = link;
  if (absolute !== null) {
    if (!hosts.includes(absolute[1] ?? '')) return link;
    path = absolute[2] === '' ? '/' : (absolute[2] ?? '/');
  }
  if (!path.startsWith('/')) return link;
  return path === prefix || path.startsWith(`${prefix}/`) ? path : `${prefix}${path}`;
}

/** Attributes of HTML that hold a link. */
const linkAttribute =
  /(\s(?:action|archive|background|cite|classid|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap)\s*=\s*)("[^"]*"|'[^']*')/gi;

/** Longest tag that is held back until it is complete; longer ones pass as they are. */
const maxHeldCharacters = 64 * 1024;

/** Rewrites the links in the tags of an HTML page on its way through. */
export function createHtmlRewriter(context: LinkContext): Transform {
  let held = '';
  const rewrite = (html: string): string =>
    html.replace(/<[a-zA-Z][^>]*>/g, (tag) =>
      tag.replace(linkAttribute, (_all, before: string, quoted: string) => {
        const quote = quoted[0] ?? '"';
        return `${before}${quote}${rewriteLink(quoted.slice(1, -1), context)}${quote}`;
      }),
    );
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      // Latin-1 keeps every byte as it is, whatever the page's encoding.
      const text = held + chunk.toString('latin1');
      const open = text.lastIndexOf('<');
      const isCut = open > text.lastIndexOf('>') && text.length - open < maxHeldCharacters;
      held = isCut ? text.slice(open) : '';
      done(null, Buffer.from(rewrite(isCut ? text.slice(0, open) : text), 'latin1'));
    },
    flush(done) {
      done(null, Buffer.from(rewrite(held), 'latin1'));
    },
  });
}
