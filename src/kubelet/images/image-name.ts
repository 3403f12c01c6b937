/** One name of an image, as the grammar of references asks: [registry/]path[:tag][@digest]. */
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const domain =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const reference = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(:[\\w][\\w.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
);

/** What an image's ID looks like, so that no name may. */
const identifier = /^[0-9a-f]{64}$/;

/** The name with `:latest` where neither tag nor digest is given; undefined when it is no name. */
export function withDefaultTag(image: string): string | undefined {
  const match = identifier.test(image) ? null : reference.exec(image);
  if (match === null) return undefined;
  return match[1] === undefined && match[2] === undefined ? `${image}:latest` : image;
}

/** Always for :latest and untagged images, IfNotPresent otherwise; the API server's default too. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const match = reference.exec(image);
  if (match?.[2] !== undefined) return 'IfNotPresent';
  return match?.[1] === undefined || match[1] === ':latest' ? 'Always' : 'IfNotPresent';
}

/** Registry and repository, as credentials are keyed: docker.io/library/busybox. */
export function repositoryOf(image: string): string {
  const bare = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const [first = '', ...rest] = bare.split('/');
  const isRegistry = rest.length > 0 && /[.:]|^localhost$/.test(first);
  if (isRegistry) return bare;
  return rest.length > 0 ? `docker.io/${bare}` : `docker.io/library/${bare}`;
}

/** Why a name without a default tag is none, in the words of the library that upstream reads it with. */
export function problemOfName(image: string): string {
  if (identifier.test(image)) {
    return `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`;
  }
  const repository = remoteName(image).split(':')[0] ?? '';
  return repository === repository.toLowerCase()
    ? 'invalid reference format'
    : `invalid reference format: repository name (${repository}) must be lowercase`;
}

/** The name without its registry; upper case in a first part makes that a registry. */
function remoteName(image: string): string {
  const slash = image.indexOf('/');
  if (slash === -1) return `library/${image}`;
  const first = image.slice(0, slash);
  const rest = image.slice(slash + 1);
  const isRegistry = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  if (!isRegistry) return image;
  const isHub = first === 'docker.io' || first === 'index.docker.io';
  return isHub && !rest.includes('/') ? `library/${rest}` : rest;
}
