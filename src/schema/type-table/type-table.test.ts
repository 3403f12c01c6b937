import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, typeTable } from './type-table.ts';

const core = 'io.k8s.api.core.v1';

test('every struct that a field names is in the table', () => {
  for (const name of typeTable.names) {
    for (const field of typeTable.type(name)?.fields.values() ?? []) {
      let value: typeof field.element = field;
      while (value?.element !== undefined) value = value.element;
      if (value?.kind !== 'struct') continue;
      assert.ok(typeTable.type(value.typeName ?? ''), `${name}.${field.name}: ${value.typeName}`);
    }
  }
});

test('every map list has keys that its items have', () => {
  for (const name of typeTable.names) {
    for (const field of typeTable.type(name)?.fields.values() ?? []) {
      for (const key of [...field.listMapKeys, field.patchMergeKey ?? []].flat()) {
        if (field.element?.kind !== 'struct') continue;
        assert.ok(fieldOf(field.element.typeName ?? '', key), `${name}.${field.name}: ${key}`);
      }
    }
  }
});

test('containers are a map list by name and merge by name', () => {
  const field = fieldOf(`${core}.PodSpec`, 'containers');
  assert.equal(field?.kind, 'list');
  assert.equal(field.element?.typeName, `${core}.Container`);
  assert.equal(field.listType, 'map');
  assert.deepEqual(field.listMapKeys, ['name']);
  assert.deepEqual(field.patchStrategy, ['merge']);
  assert.equal(field.patchMergeKey, 'name');
  assert.equal(field.required, true);
});

test('a selector is atomic by its type, a node selector by its field', () => {
  assert.equal(fieldOf('io.k8s.api.apps.v1.DeploymentSpec', 'selector')?.structType, 'atomic');
  assert.equal(fieldOf(`${core}.PodSpec`, 'nodeSelector')?.mapType, 'atomic');
  assert.equal(fieldOf(`${core}.ConfigMap`, 'data')?.mapType, 'granular');
  assert.equal(fieldOf(`${core}.Container`, 'args')?.listType, 'atomic');
});

test('scalars carry their Go type, value set and constant default', () => {
  const protocol = fieldOf(`${core}.ContainerPort`, 'protocol');
  assert.deepEqual(protocol?.enum?.values, ['SCTP', 'TCP', 'UDP']);
  assert.equal(protocol.enum.goType, 'v1.Protocol');
  assert.equal(protocol.defaultValue, 'TCP');
  assert.equal(fieldOf(`${core}.Secret`, 'data')?.element?.scalar, 'byte');
  assert.equal(fieldOf(`${core}.ServicePort`, 'targetPort')?.scalar, 'int-or-string');
  assert.equal(fieldOf('io.k8s.api.apps.v1.DeploymentSpec', 'replicas')?.isPointer, true);
  assert.equal(fieldOf(`${core}.PodSpec`, 'hostNetwork')?.isPointer, false);
  assert.equal(fieldOf(`${core}.PodSpec`, 'nothing'), undefined);
  assert.equal(fieldOf('toString', 'call'), undefined);
});
