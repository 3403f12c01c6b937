import type {
  LimitResponse,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkNotNegative, checkRange } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { metadataPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkFlowConditions } from './flow-schemas.ts';
import { mandatoryPriorityLevels } from './mandatory-specs.ts';

const zeroShares = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares';
const levelTypes = ['Exempt', 'Limited'];
const responseTypes = ['Queue', 'Reject'];
const maxQueues = 10_000_000;
const maxEntropyBits = 60;
const sharesText = 'must be a non-negative integer';

/** The mandatory levels; of the exempt one, its shares may be changed. */
function checkFixed(
  errors: ErrorList,
  name: string,
  spec: Unchecked<PriorityLevelConfigurationSpec>,
): void {
  if (name === 'catch-all' && !jsonEqual(spec, mandatoryPriorityLevels['catch-all'])) {
    errors.invalid(specPath, '', spec, `spec of '${name}' must equal the fixed value`);
  } else if (name === 'exempt' && (spec.type !== 'Exempt' || spec.limited !== undefined)) {
    const detail = `spec of '${name}' except the 'spec.${name}' field must equal the fixed value`;
    errors.invalid(specPath, '', spec, detail);
  }
}

export const priorityLevelRules: KindRules<PriorityLevelConfiguration> = {
  name: dns1123SubdomainErrors,
  check(errors, { metadata, spec = {} }) {
    if (metadata?.annotations?.[zeroShares] !== undefined) {
      errors.forbidden(metadataPath, 'annotations', `annotation '${zeroShares}' is forbidden`);
    }
    const { type = '', limited, exempt } = spec;
    if ((metadata?.name === 'exempt') !== (type === 'Exempt')) {
      const detail = "must be 'Exempt' if and only if `name` is 'exempt'";
      errors.invalid(specPath, 'type', type, detail);
    }
    const path = specPath.child('exempt');
    if (type === 'Exempt') {
      if (limited !== undefined) {
        errors.forbidden(specPath, 'limited', 'must be nil if the type is not Limited');
      }
      checkNotNegative(
        errors,
        path,
        'nominalConcurrencyShares',
        exempt?.nominalConcurrencyShares,
        sharesText,
      );
      checkRange(errors, path, 'lendablePercent', exempt?.lendablePercent, 0, 100);
    } else if (type === 'Limited') {
      if (exempt !== undefined) {
        errors.forbidden(path, '', 'must be nil if the type is Limited');
      }
      if (limited === undefined) {
        errors.required(specPath, 'limited', 'must not be empty when type is Limited');
      } else checkLimited(errors, specPath.child('limited'), limited);
    } else errors.notSupported(specPath, 'type', type, levelTypes);
    checkFixed(errors, metadata?.name ?? '', spec);
  },
  subresources: {
    status(errors, { status }) {
      checkFlowConditions(errors, status?.conditions);
    },
  },
};

function checkLimited(
  errors: ErrorList,
  path: FieldPath,
  limited: Unchecked<LimitedPriorityLevelConfiguration>,
): void {
  const { nominalConcurrencyShares, lendablePercent, borrowingLimitPercent } = limited;
  const shares = 'nominalConcurrencyShares';
  checkNotNegative(errors, path, shares, nominalConcurrencyShares, sharesText);
  checkResponse(errors, path.child('limitResponse'), limited.limitResponse ?? {});
  checkRange(errors, path, 'lendablePercent', lendablePercent, 0, 100);
  const detail = 'if specified, must be a non-negative integer';
  checkNotNegative(errors, path, 'borrowingLimitPercent', borrowingLimitPercent, detail);
}

function checkResponse(
  errors: ErrorList,
  path: FieldPath,
  { type = '', queuing }: Unchecked<LimitResponse>,
): void {
  if (type === 'Reject') {
    if (queuing === undefined) return;
    const detail = 'must be nil if limited.limitResponse.type is not Limited';
    errors.forbidden(path, 'queuing', detail);
  } else if (type !== 'Queue') errors.notSupported(path, 'type', type, responseTypes);
  else if (queuing === undefined) {
    const detail = 'must not be empty if limited.limitResponse.type is Limited';
    errors.required(path, 'queuing', detail);
  } else checkQueuing(errors, path.child('queuing'), queuing);
}

function checkQueuing(
  errors: ErrorList,
  path: FieldPath,
  {
    queueLengthLimit = 0,
    queues = 0,
    handSize = 0,
  }: NonNullable<Unchecked<LimitResponse>['queuing']>,
): void {
  if (queueLengthLimit <= 0) {
    errors.invalid(path, 'queueLengthLimit', queueLengthLimit, 'must be positive');
  }
  if (queues <= 0) errors.invalid(path, 'queues', queues, 'must be positive');
  else if (queues > maxQueues) {
    errors.invalid(path, 'queues', queues, `must not be greater than ${maxQueues}`);
  }
  if (handSize <= 0) errors.invalid(path, 'handSize', handSize, 'must be positive');
  else if (handSize > queues) {
    const detail = `should not be greater than queues (${queues})`;
    errors.invalid(path, 'handSize', handSize, detail);
  } else if (entropyBits(queues, handSize) > maxEntropyBits) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${maxEntropyBits}`;
    errors.invalid(path, 'handSize', handSize, detail);
  }
}

/** Bits of a hash that dealing a hand takes. */
function entropyBits(deckSize: number, handSize: number): number {
  let bits = 0;
  for (let dealt = 0; dealt < handSize && bits <= maxEntropyBits; dealt++) {
    bits += Math.log2(deckSize - dealt);
  }
  return Math.ceil(bits);
}
