/**
 * Replaces `$(NAME)` by the variable's value; `$$(NAME)` becomes `$(NAME)`, unknown names stay as
 * written. One pass: values are not expanded again.
 */
export function expandVariables(
  text: string,
  lookup: (name: string) => string | undefined,
): string {
  let result = '';
  let index = 0;
  while (index < text.length) {
    const dollar = text.indexOf('$', index);
    if (dollar < 0 || dollar === text.length - 1) return result + text.slice(index);
    result += text.slice(index, dollar);
    const next = text[dollar + 1];
    const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
    if (next === '$') {
      result += '$';
      index = dollar + 2;
    } else if (close >= 0) {
      const name = text.slice(dollar + 2, close);
      result += lookup(name) ?? `$(${name})`;
      index = close + 1;
    } else {
      result += '$';
      index = dollar + 1;
    }
  }
  return result;
}
