/** Runes of all warnings together beyond which each is cut, and how far. */
const longestTotal = 4096;
const longestCut = 256;

/**
 * Values of the Warning headers, as upstream: when the texts are too much together, all of them are
 * cut, and those that come later are left out once that is too much as well. Texts with control
 * characters cannot be in a header.
 */
export function warningHeaders(texts: Iterable<string>): string[] {
  let written: string[] = [];
  let runes = 0;
  let isCutting = false;
  const shown: string[] = [];
  for (const text of texts) {
    // oxlint-disable-next-line no-control-regex
    if (text === '' || /[\x00-\x1f\x7f]/.test(text)) continue;
    if (isCutting && runes >= longestTotal) break;
    shown.push(text);
    const next = isCutting ? cut(text) : text;
    const length = runesOf(next);
    if (isCutting || runes + length <= longestTotal) {
      written.push(next);
      runes += length;
      continue;
    }
    isCutting = true;
    written = shown.map(cut);
    runes = written.reduce((sum, one) => sum + runesOf(one), 0);
  }
  return written.map(headerOf);
}

function runesOf(text: string): number {
  return text.length <= longestCut ? text.length : [...text].length;
}

function cut(text: string): string {
  return text.length <= longestCut ? text : [...text].slice(0, longestCut).join('');
}

/** Headers carry bytes: UTF-8 goes out as it is, as from Go. */
function headerOf(text: string): string {
  const bytes = Buffer.from(text.replace(/[\\"]/g, '\\$&')).toString('latin1');
  return `299 - "${bytes}"`;
}
