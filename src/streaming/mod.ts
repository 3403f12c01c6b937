/**
 * The wire protocols of exec, attach and port-forward: SPDY/3.1, WebSocket channels, and the
 * translation between them. It knows no pods, no API objects and no access rules. Start reading at
 * remote-command/translate.ts for the whole of it, spdy/session.ts or upgrade/proxy-upgrade.ts for
 * the parts.
 */
export * from './remote-command/mod.ts';
export * from './spdy/mod.ts';
export * from './upgrade/mod.ts';
export * from './websocket/mod.ts';
