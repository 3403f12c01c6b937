/**
 * The server's side of WebSockets: handshake and the tunnel of port-forward. The channels of exec
 * are in ../remote-command. Start reading at accept-web-socket.ts.
 */
export { acceptWebSocket, offeredProtocols } from './accept-web-socket.ts';
export { findTunnelProtocol, tunnelSpdy } from './tunnel.ts';
