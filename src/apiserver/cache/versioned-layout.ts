import type { GroupVersionKind, UnknownObject } from '#schema/mod.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import type { EncodedObject } from './byte-layout.ts';
import { ByteLayout } from './byte-layout.ts';

const quote = 0x22;

/**
 * The byte form of a kind whose objects are stored in several versions: each keeps its own
 * apiVersion until it is written again. New objects without one get the version of the layout.
 */
export class VersionedLayout extends ByteLayout {
  readonly #layouts = new Map<string, ByteLayout>();
  readonly #head: Buffer;

  constructor(gvk: GroupVersionKind) {
    super(gvk);
    this.#layouts.set(this.apiVersion, new ByteLayout(gvk));
    this.#head = Buffer.from(`{"kind":${JSON.stringify(gvk.kind)},"apiVersion":"`);
  }

  override encode(object: UnknownObject): EncodedObject {
    return this.#of(object.apiVersion).encode(object);
  }

  override reencode(bytes: Buffer): EncodedObject {
    return this.#of(this.#versionIn(bytes)).reencode(bytes);
  }

  override isInForm(value: Buffer, revision: number): boolean {
    const version = this.#versionIn(value);
    return version !== undefined && this.#of(version).isInForm(value, revision);
  }

  override withRevision(
    value: Buffer,
    object: UnknownObject,
    revision: number,
  ): Buffer | undefined {
    return this.#of(object.apiVersion).withRevision(value, object, revision);
  }

  #of(apiVersion: string | undefined): ByteLayout {
    const wanted = apiVersion === undefined || apiVersion === '' ? this.apiVersion : apiVersion;
    let layout = this.#layouts.get(wanted);
    if (layout === undefined) {
      layout = new ByteLayout({ ...parseGroupVersion(wanted), kind: this.kind });
      this.#layouts.set(wanted, layout);
    }
    return layout;
  }

  #versionIn(bytes: Buffer): string | undefined {
    const head = this.#head;
    if (bytes.length < head.length || bytes.compare(head, 0, head.length, 0, head.length) !== 0) {
      return undefined;
    }
    const end = bytes.indexOf(quote, head.length);
    return end < 0 ? undefined : bytes.toString('latin1', head.length, end);
  }
}

/** The apiVersion under which an object is stored. */
export function storedVersionOf(layout: ByteLayout, object: UnknownObject): string {
  if (!(layout instanceof VersionedLayout)) return layout.apiVersion;
  return object.apiVersion ?? layout.apiVersion;
}
