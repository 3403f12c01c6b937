import type { Format } from './checks.ts';
import type { ErrorList } from './error-list.ts';
import type { Unchecked } from './unchecked.ts';

type Check<T> = (errors: ErrorList, object: Unchecked<T>) => void;
type Compare<T> = (errors: ErrorList, object: Unchecked<T>, old: Unchecked<T>) => void;

/** What one kind asks of its objects, beside what all metadata has to obey. */
export interface KindRules<T> {
  /** The format of metadata.name; without it any name that fits into a URL will do. */
  readonly name?: Format;
  /** False for kinds of libraries, which know no standard finalizers. */
  readonly kubeFinalizers?: boolean;
  /** True for requests that are answered and never stored: their metadata is their own affair. */
  readonly isReview?: boolean;
  /** Creation and update of the object itself; `old` is the stored object of an update. */
  readonly check?: (errors: ErrorList, object: Unchecked<T>, old: Unchecked<T> | undefined) => void;
  /** After `check`, on creation. */
  readonly create?: Check<T>;
  /** After `check`, on update. */
  readonly update?: Compare<T>;
  /** Replaces `check` and `update` for writes to a subresource; those not named go through both. */
  readonly subresources?: Readonly<Record<string, Compare<T>>>;
}

/** The rules of some kind. */
export type AnyKindRules = KindRules<never>;
