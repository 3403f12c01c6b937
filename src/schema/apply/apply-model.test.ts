/** Applies and updates of several managers at random, against a model that knows only leaves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { hasReason } from '#base/api-status-error.ts';
import { catalog } from '../catalog.ts';
import type { UnknownObject } from '../object.ts';
import type { ResourceInfo } from '../resource-info.ts';
import type { FieldSet } from './fields-v1.ts';
import { forEachPath } from './fields-v1.ts';
import { serverSideApply, trackUpdate } from './mod.ts';

interface EnvVar {
  readonly name: string;
  readonly value?: string | undefined;
}
interface Container {
  readonly name: string;
  readonly image?: string | undefined;
  readonly env: readonly EnvVar[];
}
/** A map, a set, and a list of objects by key with another one inside. */
interface Config {
  readonly labels: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly containers: readonly Container[];
}
type Step =
  | { readonly does: 'apply'; manager: string; config: Config; force: boolean }
  | { readonly does: 'update'; manager: string; config: Config };

const item = (name: string): string => `k:{"name":"${name}"}`;

/** Every leaf of a configuration as managedFields name it, with its value. */
function leavesOf({ labels, finalizers, containers }: Config): Map<string, string> {
  const leaves = new Map<string, string>();
  for (const [key, value] of Object.entries(labels)) {
    leaves.set(`f:metadata/f:labels/f:${key}`, value);
  }
  for (const one of finalizers) leaves.set(`f:metadata/f:finalizers/v:"${one}"`, '');
  for (const { name, image, env } of containers) {
    const path = `f:spec/f:containers/${item(name)}`;
    leaves.set(path, '').set(`${path}/f:name`, name);
    if (image !== undefined) leaves.set(`${path}/f:image`, image);
    for (const one of env) {
      const below = `${path}/f:env/${item(one.name)}`;
      leaves.set(below, '').set(`${below}/f:name`, one.name);
      if (one.value !== undefined) leaves.set(`${below}/f:value`, one.value);
    }
  }
  return leaves;
}

/** The rules of ownership, leaf by leaf. */
class Model {
  values = new Map<string, string>();
  readonly owners = new Map<string, Set<string>>();

  #owned(owner: string): Set<string> {
    return this.owners.get(owner) ?? new Set();
  }

  #isOwnedByOthers(leaf: string, owner: string): boolean {
    return [...this.owners].some(([other, leaves]) => other !== owner && leaves.has(leaf));
  }

  /** False for a conflict, which changes nothing. */
  apply(owner: string, wanted: ReadonlyMap<string, string>, force: boolean): boolean {
    const taken = [...wanted].filter(
      ([leaf, value]) =>
        this.values.get(leaf) !== value &&
        this.values.has(leaf) &&
        this.#isOwnedByOthers(leaf, owner),
    );
    if (taken.length > 0 && !force) return false;
    for (const [leaf] of taken) {
      for (const [other, leaves] of this.owners) if (other !== owner) leaves.delete(leaf);
    }
    for (const leaf of this.#owned(owner)) {
      if (!wanted.has(leaf) && !this.#isOwnedByOthers(leaf, owner)) this.#remove(leaf);
    }
    for (const [leaf, value] of wanted) this.values.set(leaf, value);
    this.owners.set(owner, new Set(wanted.keys()));
    return true;
  }

  /** An item takes with it what anybody owns inside. */
  #remove(leaf: string): void {
    this.values.delete(leaf);
    if (!leaf.endsWith('}')) return;
    const inside = [...this.values.keys()].filter((other) => other.startsWith(`${leaf}/`));
    for (const other of inside) this.values.delete(other);
    for (const leaves of this.owners.values()) for (const other of inside) leaves.delete(other);
  }

  update(owner: string, wanted: ReadonlyMap<string, string>): void {
    const changed = [...wanted].filter(([leaf, value]) => this.values.get(leaf) !== value);
    for (const leaves of this.owners.values()) {
      for (const [leaf] of changed) leaves.delete(leaf);
      for (const leaf of leaves) if (!wanted.has(leaf)) leaves.delete(leaf);
    }
    this.owners.set(owner, this.#owned(owner).union(new Set(changed.map(([leaf]) => leaf))));
    this.values = new Map(wanted);
  }
}

const name = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2');
const container: fc.Arbitrary<Container> = fc.record({
  name,
  image: fc.option(value, { nil: undefined }),
  env: fc.uniqueArray(fc.record({ name, value }), { selector: (one) => one.name, maxLength: 2 }),
});
const config: fc.Arbitrary<Config> = fc.record({
  labels: fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true }),
  finalizers: fc.uniqueArray(name, { maxLength: 2 }),
  containers: fc.uniqueArray(container, { selector: (one) => one.name, maxLength: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant('apply' as const),
    manager: fc.constantFrom('one', 'two', 'three'),
    config,
    force: fc.boolean(),
  }),
  fc.record({
    does: fc.constant('update' as const),
    manager: fc.constantFrom('one', 'four'),
    config,
  }),
);

const podsInfo = (): ResourceInfo => {
  const found = catalog.byResource({ group: '', version: 'v1', resource: 'pods' });
  assert.ok(found);
  return found;
};
const common = { info: podsInfo(), subresource: '', nowMs: 0 };

/** The object of a configuration; what is empty is left out. */
function podOf({ labels, finalizers, containers }: Config): UnknownObject {
  const metadata = {
    name: 'p',
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(finalizers.length > 0 ? { finalizers } : {}),
  };
  const list = containers.map(({ env, image, ...one }) => ({
    ...one,
    ...(image === undefined ? {} : { image }),
    ...(env.length > 0 ? { env } : {}),
  }));
  const spec = list.length > 0 ? { spec: { containers: list } } : {};
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, ...spec };
  return structuredClone(pod) as unknown as UnknownObject;
}

function containersIn(object: UnknownObject): Container[] {
  const { containers = [] } = (object['spec'] ?? {}) as { containers?: Container[] };
  return containers.map((one) => ({ ...one, env: (one.env as EnvVar[] | undefined) ?? [] }));
}

/** The leaves that an object has. */
function leavesIn(object: UnknownObject): Map<string, string> {
  const { labels = {}, finalizers = [] } = object.metadata;
  return leavesOf({ labels, finalizers, containers: containersIn(object) });
}

/** Who owns which leaf; maps and lists as a whole are not looked at. */
function ownersIn(object: UnknownObject): Map<string, Set<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { manager = '', operation = '', fieldsV1 } of object.metadata.managedFields ?? []) {
    const leaves = new Set<string>();
    forEachPath((fieldsV1 ?? {}) as FieldSet, (path) => {
      const isWhole = /^f:(labels|finalizers|containers|env|metadata|spec)$/.test(
        path.at(-1) ?? '',
      );
      if (!isWhole) leaves.add(path.join('/'));
    });
    owners.set(`${manager} ${operation}`, leaves);
  }
  return owners;
}

const sorted = (leaves: Iterable<[string, unknown]>): unknown[] =>
  [...leaves].toSorted(([a], [b]) => (a < b ? -1 : 1));
const withLeaves = (owners: ReadonlyMap<string, Set<string>>): unknown[] =>
  sorted(
    [...owners].flatMap(([owner, leaves]): [string, unknown][] =>
      leaves.size === 0 ? [] : [[owner, [...leaves].toSorted()]],
    ),
  );

/** One field stays: objects without any owner are not tracked. */
function kept({ labels, ...rest }: Config): Config {
  return { ...rest, labels: { ...labels, kept: '1' } };
}

test('applies and updates do what the model of single leaves says', () => {
  fc.assert(
    fc.property(config, fc.array(step, { minLength: 1, maxLength: 8 }), (first, steps) => {
      const model = new Model();
      model.apply('zero Apply', leavesOf(kept(first)), false);
      const created = {
        live: undefined,
        applied: podOf(kept(first)),
        manager: 'zero',
        force: false,
      };
      let live = serverSideApply({ ...common, ...created });
      for (const one of steps) {
        const asked = one.does === 'update' ? kept(one.config) : one.config;
        const wanted = leavesOf(asked);
        if (one.does === 'update') {
          const { managedFields } = live.metadata;
          const given = podOf(asked);
          const object = { ...given, metadata: { ...given.metadata, managedFields } };
          const operation = 'Update' as const;
          live = trackUpdate({ ...common, old: live, object, manager: one.manager, operation });
          model.update(`${one.manager} Update`, wanted);
        } else {
          const { manager, force } = one;
          const isAllowed = model.apply(`${manager} Apply`, wanted, force);
          const applied = podOf(asked);
          const attempt = (): UnknownObject =>
            serverSideApply({ ...common, live, applied, manager, force });
          if (isAllowed) live = attempt();
          else assert.throws(attempt, (error) => hasReason(error, 'Conflict'));
        }
        assert.deepEqual(sorted(leavesIn(live)), sorted(model.values));
        assert.deepEqual(withLeaves(ownersIn(live)), withLeaves(model.owners));
      }
    }),
    { numRuns: 300 },
  );
});
