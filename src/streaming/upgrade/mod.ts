/**
 * Protocol switches of HTTP/1.1, from both sides: asking for one, passing one on byte for byte, and
 * joining two connections. It knows no protocol that is switched to. Start at proxy-upgrade.ts.
 */
export { answerHead, isUpgrade, isWebSocket, listOf, withHeaders } from './headers.ts';
export type { RawHeaders } from './headers.ts';
export { joinSockets } from './join-sockets.ts';
export { openUpgrade, readAnswerBody } from './open-upgrade.ts';
export type { UpgradeAnswer, UpgradeRequest } from './open-upgrade.ts';
export { proxyUpgrade, upgradeHeaders } from './proxy-upgrade.ts';
export type { ProxyUpgradeOptions } from './proxy-upgrade.ts';
