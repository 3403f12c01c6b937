import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressClass,
  IngressClassParametersReference,
  IngressSpec,
} from '../../generated/types.ts';
import {
  checkFormat,
  checkImmutable,
  checkMaxBytes,
  checkOptionalFormat,
  requireFormat,
  requireOneOf,
  requireText,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath, specPath, statusPath } from '../field-path.ts';
import { ipFamily } from '../formats/addresses.ts';
import { checkDomainPrefixedPath } from '../formats/domain-names.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentErrors,
  wildcardHostErrors,
} from '../formats/names.ts';
import { checkPort, portNameErrors } from '../formats/ports.ts';
import type { KindRules } from '../kind-rules.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import { checkIngressPoint } from './load-balancer-status.ts';

const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];

export const ingressRules: KindRules<Ingress> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkIngressSpec(errors, spec, old?.spec);
  },
  create(errors, { metadata, spec }) {
    const value = metadata?.annotations?.[classAnnotation];
    const name = spec?.ingressClassName;
    if (value === undefined || value === '' || name === undefined || value === name) return;
    const detail = 'must match `ingressClassName` when both are specified';
    errors.invalid(rootPath.child('annotations').child(classAnnotation), '', value, detail);
  },
  subresources: {
    status(errors, { status }, old) {
      const path = statusPath.child('loadBalancer.ingress');
      const stored = old.status?.loadBalancer?.ingress?.map((point) => point.ip);
      (status?.loadBalancer?.ingress ?? []).forEach(({ ip = '', hostname = '' }, index) => {
        checkIngressPoint(errors, path.at(index), ip, hostname, stored, () => {});
      });
    },
  },
};

function checkIngressSpec(
  errors: ErrorList,
  spec: Unchecked<IngressSpec>,
  old: Unchecked<IngressSpec> | undefined,
): void {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec;
  if (rules.length === 0 && defaultBackend === undefined) {
    const detail = 'either `defaultBackend` or `rules` must be specified';
    errors.invalid(specPath, '', spec.rules ?? null, detail);
  }
  if (defaultBackend !== undefined) {
    checkBackend(errors, specPath.child('defaultBackend'), defaultBackend);
  }
  rules.forEach(({ host = '', http }, index) => {
    const path = specPath.child('rules').at(index);
    checkRuleHost(errors, path, host);
    if (http === undefined) return;
    if (isEmpty(http.paths)) errors.required(path, 'http.paths');
    (http.paths ?? []).forEach((rule, place) => {
      checkHttpPath(errors, path.child('http.paths').at(place), rule);
    });
  });
  const knownSecrets = old?.tls?.map(({ secretName }) => secretName);
  tls.forEach(({ hosts = [], secretName = '' }, index) => {
    const path = specPath.child('tls').at(index);
    hosts.forEach((host, place) => {
      const format = host.includes('*') ? wildcardHostErrors : dns1123SubdomainErrors;
      checkFormat(errors, path.child('hosts'), place, host, format);
    });
    if (secretName === '' || knownSecrets?.includes(secretName) === true) return;
    checkFormat(errors, path, 'secretName', secretName, dns1123SubdomainErrors);
  });
  if (ingressClassName !== undefined) {
    checkFormat(errors, specPath, 'ingressClassName', ingressClassName, dns1123SubdomainErrors);
  }
}

function checkRuleHost(errors: ErrorList, path: FieldPath, host: string): void {
  if (host === '') return;
  if (ipFamily(host) !== undefined) {
    errors.invalid(path, 'host', host, 'must be a DNS name, not an IP address');
  }
  const format = host.includes('*') ? wildcardHostErrors : dns1123SubdomainErrors;
  checkFormat(errors, path, 'host', host, format);
}

function checkHttpPath(
  errors: ErrorList,
  at: FieldPath,
  { path = '', pathType, backend = {} }: Unchecked<HTTPIngressPath>,
): void {
  if (pathType === undefined) {
    errors.required(at, 'pathType', 'pathType must be specified');
    return;
  }
  const isAbsolute = path.startsWith('/');
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!isAbsolute) errors.invalid(at, 'path', path, 'must be an absolute path');
    else {
      for (const text of badSequences) {
        if (path.includes(text)) errors.invalid(at, 'path', path, `must not contain '${text}'`);
      }
      for (const text of badSuffixes) {
        if (path.endsWith(text)) errors.invalid(at, 'path', path, `cannot end with '${text}'`);
      }
    }
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !isAbsolute) {
      errors.invalid(at, 'path', path, 'must be an absolute path');
    }
  } else errors.notSupported(at, 'pathType', pathType, pathTypes);
  checkBackend(errors, at.child('backend'), backend);
}

function checkBackend(
  errors: ErrorList,
  path: FieldPath,
  { resource, service }: Unchecked<IngressBackend>,
): void {
  if (resource !== undefined && service !== undefined) {
    errors.invalid(path, '', '', 'cannot set both resource and service backends');
  } else if (resource !== undefined) {
    const at = path.child('resource');
    checkOptionalFormat(errors, at, 'apiGroup', resource.apiGroup, dns1123SubdomainErrors);
    requireFormat(errors, at, 'kind', resource.kind, pathSegmentErrors);
    requireFormat(errors, at, 'name', resource.name, pathSegmentErrors);
  } else if (service !== undefined) {
    const at = path.child('service');
    requireFormat(errors, at, 'name', service.name, dns1123LabelErrors);
    const { name = '', number = 0 } = service.port ?? {};
    if (name !== '' && number !== 0) {
      errors.invalid(path, '', '', 'cannot set both port name & port number');
    } else if (name !== '') checkFormat(errors, at, 'port.name', name, portNameErrors);
    else if (number !== 0) checkPort(errors, at, 'port.number', number);
    else errors.required(path, '', 'port name or number is required');
  } else errors.invalid(path, '', '', 'resource or service backend is required');
}

const scopes = ['Cluster', 'Namespace'];

export const ingressClassRules: KindRules<IngressClass> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }) {
    const { controller = '', parameters } = spec;
    checkMaxBytes(errors, specPath, 'controller', controller, 250);
    checkDomainPrefixedPath(errors, specPath, 'controller', controller);
    if (parameters !== undefined) checkParameters(errors, parameters);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, specPath, 'controller', spec?.controller, old.spec?.controller);
  },
};

function checkParameters(
  errors: ErrorList,
  parameters: Unchecked<IngressClassParametersReference>,
): void {
  const path = specPath.child('parameters');
  const { apiGroup, kind, name, scope, namespace } = parameters;
  if (apiGroup !== undefined)
    checkFormat(errors, path, 'apiGroup', apiGroup, dns1123SubdomainErrors);
  requireFormat(errors, path, 'kind', kind, pathSegmentErrors);
  requireFormat(errors, path, 'name', name, pathSegmentErrors);
  requireOneOf(errors, path, 'scope', scope, scopes);
  if (scope === 'Namespace') {
    const detail = "`parameters.scope` is set to 'Namespace'";
    if (requireText(errors, path, 'namespace', namespace, detail)) {
      checkFormat(errors, path, 'namespace', namespace, dns1123LabelErrors);
    }
  } else if (scope === 'Cluster' && namespace !== undefined) {
    errors.forbidden(path, 'namespace', "`parameters.scope` is set to 'Cluster'");
  }
}
