import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startFakeKubelet, testContainer, testPod } from '../fake-kubelet.ts';

async function started(context: TestContext) {
  const fake = await startFakeKubelet();
  context.after(() => fake.close());
  const metrics = (): Promise<string> => fake.kubelet.metrics.registry.render();
  return { ...fake, metrics };
}

function has(text: string, ...lines: string[]): void {
  const all = new Set(text.split('\n'));
  for (const line of lines) assert.ok(all.has(line), `${line} is not in\n${text}`);
}

test('pods, containers and calls of the runtime are counted', async (t) => {
  const { create, until, phase, pass, metrics } = await started(t);
  const initContainers = [testContainer('i', { restartPolicy: 'Always' })];
  await create(testPod('a', { initContainers }));
  await until('running', () => phase('a') === 'Running');
  await pass(2000);
  has(
    await metrics(),
    'kubelet_running_pods 1',
    'kubelet_running_containers{container_state="running"} 2',
    'kubelet_desired_pods{static=""} 1',
    'kubelet_active_pods{static=""} 1',
    'kubelet_working_pods{config="desired",lifecycle="sync",static=""} 1',
    'kubelet_started_pods_total 1',
    'kubelet_started_containers_total{container_type="container"} 1',
    'kubelet_started_containers_total{container_type="init_container"} 1',
    'kubelet_started_containers_total{container_type="pod_sandbox"} 1',
    'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
    'kubelet_runtime_operations_duration_seconds_count{operation_type="create_container"} 2',
    'kubelet_pod_start_duration_seconds_count 1',
    'kubelet_pod_worker_duration_seconds_count{operation_type="create"} 1',
    'kubelet_containers_per_pod_count_sum 1',
    'kubelet_node_name{node="node-1"} 1',
    'kubelet_cgroup_version 2',
  );
  const text = await metrics();
  assert.match(text, /^kubelet_pleg_relist_duration_seconds_count [1-9]/m);
  assert.match(text, /^kubelet_pleg_relist_interval_seconds_count [1-9]/m);
  assert.match(text, /^rest_client_requests_total\{code="201",host="",method="POST"\} [1-9]/m);
  assert.match(text, /^process_resident_memory_bytes \d{6}/m);
  assert.match(text, /^process_open_fds [1-9]/m);
  assert.match(text, /^# HELP kubelet_running_pods \[ALPHA\] /m);
});

test('what fails is counted with its type and code', async (t) => {
  const { create, until, cri, waiting, metrics } = await started(t);
  cri.fail('CreateContainer', new Error('no room'));
  await create(testPod('a'));
  await until('the failure', () => waiting('a')?.reason === 'CreateContainerError');
  has(
    await metrics(),
    'kubelet_started_containers_errors_total{code="CreateContainerError",container_type="container"} 1',
    'kubelet_runtime_operations_errors_total{operation_type="create_container"} 1',
  );
});

test('pods that are not taken are counted by reason', async (t) => {
  const { create, until, phase, metrics } = await started(t);
  const resources = { requests: { cpu: '64' } };
  await create(testPod('big', { containers: [testContainer('c', { resources })] }));
  await until('the rejection', () => phase('big') === 'Failed');
  has(await metrics(), 'kubelet_admission_rejections_total{reason="OutOfcpu"} 1');
});

test('pulls are timed by the size of the image', async (t) => {
  const { create, until, phase, metrics } = await started(t);
  const containers = [testContainer('c', { imagePullPolicy: 'Always' })];
  await create(testPod('a', { containers }));
  await until('running', () => phase('a') === 'Running');
  assert.match(
    await metrics(),
    /^kubelet_image_pull_duration_seconds_count\{image_size_in_bytes="0-10MB"\} 1$/m,
  );
});

test('volumes, cgroups and images are measured', async (t) => {
  const { create, until, phase, metrics } = await started(t);
  const volumes = [
    { name: 'plain', emptyDir: {} },
    { name: 'model', image: { reference: 'models:7', pullPolicy: 'IfNotPresent' } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  await create(testPod('a', { volumes, containers: [testContainer('c', { volumeMounts })] }));
  await until('running', () => phase('a') === 'Running');
  const labels = 'migrated="false",operation_name="volume_mount",status="success"';
  has(
    await metrics(),
    `storage_operation_duration_seconds_count{${labels},volume_plugin="kubernetes.io/empty-dir"} 1`,
    'volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="desired_state_of_world"} 1',
    'volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="actual_state_of_world"} 1',
    'kubelet_cgroup_manager_duration_seconds_count{operation_type="create"} 1',
    'kubelet_image_volume_requested_total 1',
    'kubelet_image_volume_mounted_succeed_total 1',
    'kubelet_image_volume_mounted_errors_total 0',
  );
  assert.match(await metrics(), /^kubelet_node_startup_registration_duration_seconds /m);
});

test('the times of a shutdown are shown', async (t) => {
  const fake = await startFakeKubelet({
    config: { shutdownPeriods: [{ priority: 0, periodMs: 1000 }] },
  });
  t.after(() => fake.close());
  const shown = async (name: string): Promise<string | undefined> =>
    new RegExp(`^kubelet_graceful_shutdown_${name}_time_seconds (.*)$`, 'm').exec(
      await fake.kubelet.metrics.registry.render(),
    )?.[1];
  assert.equal(await shown('start'), '0');
  await fake.kubelet.shutDown();
  assert.equal(Number(await shown('start')), fake.clock.now() / 1000);
  assert.equal(Number(await shown('end')), fake.clock.now() / 1000);
});
