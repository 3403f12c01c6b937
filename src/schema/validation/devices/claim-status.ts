import type {
  AllocatedDeviceStatus,
  AllocationResult,
  ResourceV1ResourceClaim,
} from '../../generated/types.ts';
import {
  checkEach,
  checkEachFormat,
  checkFormat,
  checkImmutable,
  checkMaxBytes,
  checkMaxItems,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { statusPath } from '../field-path.ts';
import { interfaceAddressErrors } from '../formats/addresses.ts';
import { dns1123LabelErrors } from '../formats/names.ts';
import { checkConditions } from '../shared/conditions.ts';
import { checkNodeSelector } from '../shared/node-selector.ts';
import { checkCsiDriverName } from '../storage/csi-driver-name.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkRequestName, requestNamesOf } from './claim-spec.ts';
import { checkDeviceConfig, checkRawObject } from './device-config.ts';
import { checkPoolName } from './pool-name.ts';

type Claim = Unchecked<ResourceV1ResourceClaim>;

const maxReservations = 256;
const maxResults = 32;
const maxConfigs = 64;
const maxConditions = 8;
const maxAddresses = 16;
const sources: readonly string[] = ['FromClaim', 'FromClass'];

/** Who uses a claim, and which devices it got: written by scheduler, controller and drivers. */
export function checkClaimStatus(errors: ErrorList, claim: Claim, old: Claim): void {
  const { status } = claim;
  checkReservations(errors, claim, old);
  const allocated = new Set(
    (status?.allocation?.devices?.results ?? []).map((result) =>
      deviceKey(result.driver, result.pool, result.device, result.shareID),
    ),
  );
  checkEach(errors, statusPath.child('devices'), status?.devices, (_errors, at, device) => {
    checkDevice(errors, at, device, allocated);
  });
  const reserved = status?.reservedFor ?? [];
  if (reserved.length > 0) {
    if (status?.allocation === undefined) {
      const detail = 'may not be specified when `allocated` is not set';
      errors.forbidden(statusPath, 'reservedFor', detail);
    } else if (claim.metadata?.deletionTimestamp !== undefined) {
      const before = new Set((old.status?.reservedFor ?? []).map(({ uid }) => uid));
      if (reserved.some(({ uid }) => !before.has(uid))) {
        const detail =
          'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
        errors.forbidden(statusPath, 'reservedFor', detail);
      }
    }
  }
  const stored = old.status?.allocation;
  if (stored !== undefined && status?.allocation !== undefined) {
    checkImmutable(errors, statusPath, 'allocation', status.allocation, stored);
  } else if (status?.allocation !== undefined) {
    checkAllocation(errors, statusPath.child('allocation'), status.allocation, claim);
  }
}

function checkReservations(errors: ErrorList, { status }: Claim, old: Claim): void {
  const at = statusPath.child('reservedFor');
  checkMaxItems(errors, statusPath, 'reservedFor', status?.reservedFor, maxReservations);
  const seen = new Set<string>();
  const stored = new Set((old.status?.reservedFor ?? []).map((entry) => JSON.stringify(entry)));
  checkEach(errors, at, status?.reservedFor, (_errors, path, entry) => {
    if (!stored.has(JSON.stringify(entry))) {
      requireText(errors, path, 'resource', entry.resource);
      requireText(errors, path, 'name', entry.name);
      requireText(errors, path, 'uid', entry.uid);
    }
    const uid = entry.uid ?? '';
    if (seen.has(uid)) errors.duplicate(path, '', uid);
    seen.add(uid);
  });
}

function deviceKey(...parts: ReadonlyArray<string | undefined>): string {
  return parts.map((part) => part ?? '').join('/');
}

function checkDevice(
  errors: ErrorList,
  path: FieldPath,
  device: Unchecked<AllocatedDeviceStatus>,
  allocated: ReadonlySet<string>,
): void {
  checkCsiDriverName(errors, path, 'driver', device.driver);
  checkPoolName(errors, path, 'pool', device.pool);
  checkFormat(errors, path, 'device', device.device, dns1123LabelErrors);
  if (!allocated.has(deviceKey(device.driver, device.pool, device.device, device.shareID))) {
    const { driver = '', pool = '', device: name = '' } = device;
    const value = { driver, pool, device: name };
    errors.invalid(path, '', value, 'must be an allocated device in the claim');
  }
  checkMaxItems(errors, path, 'conditions', device.conditions, maxConditions);
  checkConditions(errors, path.child('conditions'), device.conditions);
  if (device.data !== undefined) checkRawObject(errors, path, 'data', device.data, undefined);
  const network = device.networkData;
  if (network === undefined) return;
  const at = path.child('networkData');
  checkMaxBytes(errors, at, 'interfaceName', network.interfaceName, 256);
  checkMaxBytes(errors, at, 'hardwareAddress', network.hardwareAddress, 128);
  checkMaxItems(errors, at, 'ips', network.ips, maxAddresses);
  checkEachFormat(errors, at.child('ips'), network.ips, interfaceAddressErrors);
}

function checkAllocation(
  errors: ErrorList,
  path: FieldPath,
  { devices, nodeSelector }: Unchecked<AllocationResult>,
  { spec }: Claim,
): void {
  const names = requestNamesOf(spec);
  const at = path.child('devices');
  checkMaxItems(errors, at, 'results', devices?.results, maxResults);
  checkEach(errors, at.child('results'), devices?.results, (_errors, place, result) => {
    checkRequestName(errors, place, 'request', result.request ?? '', names);
    checkCsiDriverName(errors, place, 'driver', result.driver);
    checkPoolName(errors, place, 'pool', result.pool);
    checkFormat(errors, place, 'device', result.device, dns1123LabelErrors);
  });
  checkMaxItems(errors, at, 'config', devices?.config, maxConfigs);
  checkEach(errors, at.child('config'), devices?.config, (_errors, place, config) => {
    requireOneOf(errors, place, 'source', config.source, sources);
    checkMaxItems(errors, place, 'requests', config.requests, maxResults);
    config.requests?.forEach((request, index) => {
      checkRequestName(errors, place.child('requests'), index, request, names);
    });
    checkDeviceConfig(errors, place, config.opaque);
  });
  if (nodeSelector !== undefined) {
    checkNodeSelector(errors, path.child('nodeSelector'), nodeSelector);
  }
}
