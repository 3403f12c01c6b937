/** Kubernetes' libraries, by the examples of its documentation and tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from './fake-cel.ts';
import { createAuthorizerValue, createResourceCheckValue } from './library/authorizer-value.ts';
import { namedFormats } from './library/named-formats.ts';
import type { CelType } from './types.ts';

type Row = readonly [expression: string, expected: unknown];

function checkAll(rows: readonly Row[]): void {
  for (const [expression, expected] of rows) {
    assert.deepEqual(resultOf(expression), expected, expression);
  }
}

test('lists', () => {
  checkAll([
    ['[1, 2, 3].isSorted()', true],
    ["['a', 'b', 'b', 'c'].isSorted()", true],
    ['[2.0, 1.0].isSorted()', false],
    ['[].isSorted()', true],
    ['[1, 3].sum()', 4],
    ['[1.0, 3.0].sum() == 4.0', true],
    ["[duration('1m'), duration('1s')].sum() == duration('1m1s')", true],
    ['[].sum()', 0],
    ['[1u, 2u].sum() == 3u', true],
    ['[1, 3].min()', 1],
    ["['a', 'c', 'b'].max()", 'c'],
    ['[].min()', '!min called on empty list'],
    ['[].max()', '!max called on empty list'],
    ['[1, 2, 2, 3].indexOf(2)', 1],
    ["['a', 'b', 'b', 'c'].lastIndexOf('b')", 2],
    ['[1.0].indexOf(1.1)', -1],
    ['[1, 2, 3, 4].slice(1, 3)', [2, 3]],
    ['[1].slice(0, 2)', '!cannot slice(0, 2), list is length 1'],
    ['[1].slice(-1, 1)', '!cannot slice(-1, 1), negative indexes not supported'],
    ['[[1], [2, 3]].flatten()', [1, 2, 3]],
    ['dyn([[[1]], [[2]]]).flatten(2)', [1, 2]],
    ['[3, 1, 2].sort()', [1, 2, 3]],
    ["['bb', 'a'].sortBy(x, x.size())", ['a', 'bb']],
    ['[1, 2, 1].distinct()', [1, 2]],
    ['[1, 2].reverse()', [2, 1]],
    ['lists.range(3)', [0, 1, 2]],
    ['lists.range(-1)', '!lists.range: size must be non-negative, got -1'],
  ]);
});

test('strings', () => {
  checkAll([
    ["'hello'.charAt(4)", 'o'],
    ["'hello'.charAt(5)", ''],
    ["'hello'.charAt(6)", '!index out of range: 6'],
    ["'hello mellow'.indexOf('ello')", 1],
    ["'hello mellow'.indexOf('ello', 2)", 7],
    ["'hello mellow'.indexOf('jello')", -1],
    ["'hello mellow'.lastIndexOf('ello')", 7],
    ["'hello mellow'.lastIndexOf('ello', 6)", 1],
    ["'\u{1F600}a\u{1F600}b'.indexOf('b')", 3],
    ["'\u{1F600}ab'.substring(1)", 'ab'],
    ["'\u{1F600}ab'.charAt(0)", '\u{1F600}'],
    ["'TacoCat'.lowerAscii() + 'TacoC\u00c6t'.upperAscii()", 'tacocatTACOC\u00c6T'],
    ["'hello hello'.replace('he', 'we')", 'wello wello'],
    ["'hello hello'.replace('he', 'we', 1)", 'wello hello'],
    ["'hello'.replace('', '_')", '_h_e_l_l_o_'],
    ["'hello hello'.replace('he', 'we', 0)", 'hello hello'],
    ["'a$b'.replace('$', '$&')", 'a$&b'],
    ["'hello hello hello'.split(' ')", ['hello', 'hello', 'hello']],
    ["'hello hello hello'.split(' ', 2)", ['hello', 'hello hello']],
    ["'hello'.split('', 2)", ['h', 'ello']],
    ["'a b'.split(' ', 0)", []],
    ["'tacocat'.substring(4)", 'cat'],
    ["'tacocat'.substring(0, 4)", 'taco'],
    ["'tacocat'.substring(2, 1)", '!invalid substring range. start: 2, end: 1'],
    ["'tacocat'.substring(40)", '!invalid substring range. start: 40, end: 7'],
    [String.raw`'  \ttrim\n    '.trim()`, 'trim'],
    ["['hello', 'mellow'].join() + ['a', 'b'].join('/')", 'hellomellowa/b'],
    [String.raw`strings.quote('a "b"\n')`, String.raw`"a \"b\"\n"`],
  ]);
});

test('string.format', () => {
  checkAll([
    [
      "'this is a string: %s, an int: %d'.format([dyn('x'), dyn(42)])",
      'this is a string: x, an int: 42',
    ],
    ["'%.3f %f %e'.format([1.2345, 2.0, 1052.032911275])", '1.234 2.000000 1.052033e+03'],
    ["'%x %X %o %b'.format([255, 255, 8, 5])", 'ff FF 10 101'],
    ["'%x'.format(['hi'])", '6869'],
    ["'%s'.format([[dyn(1), dyn('a'), dyn(null)]])", '[1, "a", null]'],
    ["'%s'.format([{'b': 1, 'a': 2}])", '{"a":2, "b":1}'],
    [
      "'%s %s'.format([dyn(duration('1h')), dyn(timestamp('2024-01-01T00:00:00Z'))])",
      '3600s 2024-01-01T00:00:00Z',
    ],
    ["'%s'.format([double('Infinity')])", 'Infinity'],
    [
      "'%d'.format(['a'])",
      '!error during formatting: decimal clause can only be used on integers, was given string',
    ],
    ["'%s %s'.format(['a'])", '!index 1 out of range'],
    ["'%'.format([])", '!could not parse formatting clause: unexpected end of string'],
  ]);
});

test('regular expressions are RE2', () => {
  checkAll([
    ["'abc 123'.find('[0-9]+')", '123'],
    ["'abc'.find('[0-9]+')", ''],
    ["'123 abc 456'.findAll('[0-9]+')", ['123', '456']],
    ["'1 2 3'.findAll('[0-9]', 2)", ['1', '2']],
    ["'abc'.matches('^a.c$') && matches('abc', 'b')", true],
    ["'a\\nb'.matches('a.b')", false],
    ["'\u{1F600}'.matches('^.$')", true],
    ["'aaa'.matches('^a{2,3}$')", true],
    ["'foo-bar'.matches('^[a-z-]+$')", true],
    ["'k'.matches('(?i)^K$')", true],
    [
      "'x'.matches(dyn('(?=x)'))",
      '!error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
  ]);
});

test('URLs', () => {
  checkAll([
    ["isURL('https://user:pass@example.com:80/path?query=val#fragment')", true],
    ["isURL('/absolute-path')", true],
    ["isURL('https://a:b:c/')", false],
    ["isURL('../relative-path')", false],
    ["isURL('')", false],
    ["url('/path').getScheme()", ''],
    ["url('https://example.com:80/').getHost()", 'example.com:80'],
    ["url('https://[::1]:80/').getHostname()", '::1'],
    ["url('https://[::1]/').getHost()", '[::1]'],
    ["url('https://example.com:80/').getPort()", '80'],
    ["url('https://example.com/path with spaces/').getEscapedPath()", '/path%20with%20spaces/'],
    ["url('https://example.com').getEscapedPath()", ''],
    ["url('https://example.com/path?k1=a&k2=b&k2=c').getQuery()", { k1: ['a'], k2: ['b', 'c'] }],
    [
      "url('https://example.com/path?key with spaces=value with spaces').getQuery()",
      { 'key with spaces': ['value with spaces'] },
    ],
    ["url('https://example.com/path?').getQuery()", {}],
    [
      "url('../x')",
      '!URL parse error during conversion from string: parse "../x": invalid URI for request',
    ],
    [
      "url('https://a:b:c/')",
      '!URL parse error during conversion from string: parse "https://a:b:c/": invalid port ":c" after host',
    ],
  ]);
});

test('quantities', () => {
  checkAll([
    ["isQuantity('1.3G') && isQuantity('1.3Gi') && isQuantity('10000k')", true],
    ["isQuantity('1,3G') || isQuantity('200K') || isQuantity('Three') || isQuantity('Mi')", false],
    ["quantity('50k').asInteger()", 50000],
    ["quantity('50k').sub(20000).asApproximateFloat() == 30000.0", true],
    ["quantity('9999999999999999999999999999999999999G').isInteger()", false],
    ["quantity('50.5').asInteger()", '!cannot convert value to integer'],
    ["quantity('50k').add(quantity('20k')) == quantity('70k')", true],
    ["quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')", true],
    ["quantity('200M').compareTo(quantity('0.2G'))", 0],
    ["quantity('50M').compareTo(quantity('50Mi'))", -1],
    ["quantity('150Mi').isGreaterThan(quantity('100Mi'))", true],
    ["quantity('50M').isLessThan(quantity('100M'))", true],
    ["sign(quantity('-1')) == -1", true],
  ]);
});

test('IP addresses and ranges', () => {
  const parse = 'parse error during conversion from string: ParseAddr';
  checkAll([
    ['ip("192.168.0.1").family() == 4 && ip("::1").family() == 6', true],
    ['isIP("127.0.0.256") || isIP(":::1") || isIP("01.1.1.1") || isIP("::ffff:1.2.3.4")', false],
    [
      'ip("192.168.0.1.0")',
      `!IP Address "192.168.0.1.0" ${parse}("192.168.0.1.0"): IPv4 address too long`,
    ],
    [
      'ip("2001:db8:::68")',
      `!IP Address "2001:db8:::68" ${parse}("2001:db8:::68"): each colon-separated field must have at least one digit (at ":68")`,
    ],
    ['ip("::ffff:1.2.3.4")', '!IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
    ['ip("fe80::1%eth0")', '!IP address "fe80::1%eth0" with zone value is not allowed'],
    ['ip.isCanonical("2001:db8::abcd") && !ip.isCanonical("2001:DB8::ABCD")', true],
    ['ip("0.0.0.0").isUnspecified() && ip("::").isUnspecified()', true],
    ['ip("127.0.0.1").isLoopback() && ip("::1").isLoopback()', true],
    ['ip("224.0.0.1").isLinkLocalMulticast() && ip("ff02::1").isLinkLocalMulticast()', true],
    ['ip("224.0.1.1").isLinkLocalMulticast() || ip("fd00::1").isLinkLocalMulticast()', false],
    ['ip("169.254.169.254").isLinkLocalUnicast() && ip("fe80::1").isLinkLocalUnicast()', true],
    ['ip("192.168.0.1").isGlobalUnicast() && ip("2001:db8::abcd").isGlobalUnicast()', true],
    ['ip("255.255.255.255").isGlobalUnicast() || ip("ff00::1").isGlobalUnicast()', false],
    ['string(ip("192.168.0.1")) == "192.168.0.1" && type(ip("::1")) == net.IP', true],
    ["isCIDR('192.168.0.0/16') && isCIDR('::1/128') && !isCIDR('192.168.0.0/33')", true],
    ["cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))", true],
    ["cidr('192.168.0.0/24').containsIP('192.168.1.1')", false],
    ["cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')", true],
    ["cidr('192.168.1.0/24').containsCIDR(cidr('192.168.2.0/24'))", false],
    ["cidr('192.168.0.1/24').ip() == ip('192.168.0.1')", true],
    ["cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')", true],
    ["cidr('192.168.0.1/24') == cidr('192.168.0.0/24')", false],
    ["cidr('::1/128').prefixLength()", 128],
    ["string(cidr('10.0.0.0/8'))", '10.0.0.0/8'],
  ]);
});

test('semantic versions', () => {
  checkAll([
    ["isSemver('1.0.0') && !isSemver('v1.0') && !isSemver('01.1.1')", true],
    ["isSemver('v1.0', true) && isSemver('01.01.01', true) && !isSemver('1-a', true)", true],
    ["semver('1.2.3').major() * 100 + semver('1.2.3').minor() * 10 + semver('1.2.3').patch()", 123],
    ["semver('1.2.3').compareTo(semver('2.0.0'))", -1],
    ["semver('1.0.0-alpha').isLessThan(semver('1.0.0'))", true],
    ["semver('1.0.0-alpha.2').isLessThan(semver('1.0.0-alpha.10'))", true],
    ["semver('1.0.0+a') == semver('1.0.0+b')", true],
    ["semver('1.0')", '!No Major.Minor.Patch elements found'],
    ["semver('a.0.0')", '!Invalid character(s) found in Major number "a"'],
    ["semver('v1', true) == semver('1.0.0')", true],
  ]);
});

test('named formats', () => {
  checkAll([
    ['format.dns1123Label().validate("my-label-name").hasValue()', false],
    ['format.dns1123Subdomain().validate("apiextensions.k8s.io").hasValue()', false],
    ['format.qualifiedName().validate("apiextensions.k8s.io/v1beta1").hasValue()', false],
    ['format.dns1123LabelPrefix().validate("my-label-prefix-").hasValue()', false],
    ['format.dns1123SubdomainPrefix().validate("mysubdomain.prefix.-").hasValue()', false],
    ['format.uri().validate("http://example.com").hasValue()', false],
    ['format.uuid().validate("123e4567-e89b-12d3-a456-426614174000").hasValue()', false],
    ['format.byte().validate("aGVsbG8").value()', ['invalid base64']],
    ['format.date().validate("2020-01-32").value()', ['invalid date']],
    ['format.datetime().validate("2020-01-32T00:00:00Z").value()', ['invalid datetime']],
    ['format.named("unknown").hasValue()', false],
    [
      'format.qualifiedName().validate("contains a space").value()',
      [
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
  ]);
  for (const name of Object.keys(namedFormats)) {
    assert.equal(resultOf(`format.named('${name}').value() == format.${name}()`), true, name);
  }
});

test('sets', () => {
  checkAll([
    ['sets.contains([1, 2, 3], [2, 3])', true],
    ['sets.contains([1], [2])', false],
    ['sets.equivalent([1, 1, 2], [2, 1])', true],
    ['sets.intersects([1, 2], [2, 3]) && !sets.intersects([], [1])', true],
  ]);
});

test('the authorizer passes on what the expression asks', () => {
  const asked: unknown[] = [];
  const check = (attributes: unknown): { allowed: boolean; reason: string } => {
    asked.push(attributes);
    return { allowed: true, reason: 'because' };
  };
  const type = (name: string): CelType => ({
    kind: 'abstract',
    name: `kubernetes.authorization.${name}`,
  });
  const variables = { authorizer: type('Authorizer'), requestResource: type('ResourceCheck') };
  const values = {
    authorizer: createAuthorizerValue({ check }),
    requestResource: createResourceCheckValue({ check, resource: { resource: 'pods' } }),
  };
  const run = (expression: string): unknown => resultOf(expression, values, { variables });
  const pods = "authorizer.group('apps').resource('deployments').namespace('n').name('x')";
  assert.equal(run(`${pods}.check('get').allowed()`), true);
  assert.equal(
    run("authorizer.serviceAccount('n', 'sa').path('/a').check('get').reason()"),
    'because',
  );
  assert.equal(run("requestResource.subresource('status').check('update').errored()"), false);
  const empty = { subresource: '', namespace: '', name: '', fieldSelector: '', labelSelector: '' };
  assert.deepEqual(asked, [
    {
      verb: 'get',
      resource: { ...empty, group: 'apps', resource: 'deployments', namespace: 'n', name: 'x' },
    },
    { verb: 'get', path: '/a', serviceAccount: { namespace: 'n', name: 'sa' } },
    { verb: 'update', resource: { ...empty, group: '', resource: 'pods', subresource: 'status' } },
  ]);
  assert.equal(run("authorizer.path(' ').check('get').allowed()"), '!path must not be empty');
  assert.equal(run("authorizer.group('').resource('')"), '!resource must not be empty');
  assert.equal(run("authorizer.serviceAccount('a.b', 'x')"), '!Invalid service account namespace');
});

test('libraries for single places have to be asked for', () => {
  const options = { variables: {}, extensions: ['encoders', 'jsonpatch'] as const };
  assert.equal(
    resultOf("base64.encode(b'hi') + string(base64.decode('aGk'))", {}, options),
    'aGk=hi',
  );
  assert.equal(resultOf("jsonpatch.escapeKey('a/b~c')", {}, options), 'a~1b~0c');
  assert.throws(() => resultOf("base64.encode(b'hi')"), /undeclared reference to 'base64'/);
});
