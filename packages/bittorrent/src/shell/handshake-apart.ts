import type { StreamConnection } from '@tequio/kernel';

const handshakeBytes = 68;
const protocolNameLength = 19;

/**
 * Writes `parts`, a handshake at their beginning by itself: over uTP it then travels in a packet of its own.
 * Transmission 3.00 does not look at what follows a handshake in the same packet of uTP until the next packet comes,
 * which between two sides that have said all for now is minutes later.
 */
export function writeHandshakeApart(
  connection: StreamConnection,
  parts: readonly Uint8Array[],
  sent: () => void,
): void {
  const first = parts[0];
  // Any other first part begins with the length of a message, whose first byte is 0.
  if (parts.length < 2 || first?.length !== handshakeBytes || first[0] !== protocolNameLength) {
    connection.write(parts, sent);
    return;
  }
  connection.write([first]);
  connection.write(parts.slice(1), sent);
}
