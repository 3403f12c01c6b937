import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilityBits, hasCapabilityIn } from './capabilities.ts';
import { parseDefaultRoutes, parseDefaultRoutesV6 } from './interfaces.ts';
import { parseIptablesVersion } from './iptables.ts';
import { isBuiltIn } from './kernel-modules.ts';
import { goArchitecture, memInfoBytes, parseOsRelease, readMachine } from './machine.ts';
import { sysctlPath } from './sysctl.ts';

test('reads the name of the operating system with and without quotes', () => {
  assert.equal(parseOsRelease('ID=x\nPRETTY_NAME="Debian GNU/Linux 12"\n'), 'Debian GNU/Linux 12');
  assert.equal(parseOsRelease('PRETTY_NAME=Alpine\n'), 'Alpine');
  assert.equal(parseOsRelease(''), 'Linux');
});

test('reads sizes of meminfo', () => {
  assert.equal(memInfoBytes('MemTotal:       16 kB\nSwapTotal: 0 kB\n', 'MemTotal'), 16_384);
  assert.equal(memInfoBytes('', 'MemTotal'), 0);
});

test('names architectures as Go does', () => {
  assert.deepEqual(['x64', 'arm64'].map(goArchitecture), ['amd64', 'arm64']);
});

test('reads this machine', async () => {
  const machine = await readMachine();
  assert.ok(machine.cpuCount > 0 && machine.memoryBytes > 0 && machine.bootTimeMs > 0);
  assert.match(machine.bootId, /^[0-9a-f-]{36}$/);
});

test('finds default routes by metric', () => {
  const text = `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth1\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;
  assert.deepEqual(parseDefaultRoutes(text), [
    { interfaceName: 'eth0', gateway: undefined, metric: 50 },
    { interfaceName: 'eth1', gateway: '192.168.1.1', metric: 100 },
  ]);
});

test('finds IPv6 default routes and skips the unreachable one on lo', () => {
  const none = '0'.repeat(32);
  const gateway = 'fe800000000000000000000000000001';
  const text = `${none} 00 ${none} 00 ${gateway} 00000400 00000001 00000000 00000003 eth0
${none} 00 ${none} 00 ${none} ffffffff 00000001 00000000 00200200 lo
`;
  assert.deepEqual(parseDefaultRoutesV6(text), [
    {
      interfaceName: 'eth0',
      gateway: 'fe80:0000:0000:0000:0000:0000:0000:0001',
      metric: 1024,
    },
  ]);
});

test('tells nft from legacy iptables', () => {
  const nft = parseIptablesVersion('iptables v1.8.9 (nf_tables)\n');
  assert.deepEqual(nft, { version: '1.8.9', variant: 'nft' });
  assert.equal(parseIptablesVersion('iptables v1.8.7 (legacy)').variant, 'legacy');
  assert.equal(parseIptablesVersion('iptables v1.6.1').variant, 'legacy');
});

test('keeps dots of interface names in slash form sysctls', () => {
  assert.equal(sysctlPath('net.ipv4.ip_forward'), '/proc/sys/net/ipv4/ip_forward');
  assert.equal(
    sysctlPath('net/ipv4/conf/eth0.1/forwarding'),
    '/proc/sys/net/ipv4/conf/eth0.1/forwarding',
  );
});

test('finds built-in modules whichever dash they are written with', () => {
  const list = 'kernel/net/bridge/br_netfilter.ko\nkernel/fs/overlayfs/overlay.ko\n';
  assert.equal(isBuiltIn(list, 'br-netfilter'), true);
  assert.equal(isBuiltIn(list, 'netfilter'), false);
});

test('reads capabilities bit by bit', () => {
  const status = 'CapPrm:\t000001ffffffffff\nCapEff:\t000001fffeffffff\n';
  assert.equal(hasCapabilityIn(status, capabilityBits.sysResource), false);
  assert.equal(hasCapabilityIn(status, capabilityBits.sysAdmin), true);
  assert.equal(hasCapabilityIn('', capabilityBits.bpf), false);
});
