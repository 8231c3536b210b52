/**
 * A systemd user unit for the node. It gains no rights and, where a user's systemd can make name spaces, writes to its
 * own folders alone. What takes capabilities away (PrivateDevices, ProtectClock, CapabilityBoundingSet …) is not in it:
 * a user's systemd may not do that, and does not start the unit (218/CAPABILITIES); a user has none of them anyway.
 */
export function systemdUnit(options: {
  /** The program with its arguments. */
  readonly command: readonly string[];
  /** Absolute; where it may write. */
  readonly folders: readonly string[];
}): string {
  return `[Unit]
Description=Tequio, a node of peer-to-peer networks
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=${options.command.map(quoted).join(' ')}
Restart=on-failure
RestartSec=5
TimeoutStopSec=30
# Ended by us, with all state kept.
SuccessExitStatus=130
LimitNOFILE=65536
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
${options.folders.map((folder) => `ReadWritePaths=${quoted(folder)}\n`).join('')}PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=default.target
`;
}

/** `%` and `$` mean something to systemd. */
function quoted(text: string): string {
  const safe = text.replace(/%/g, '%%').replace(/\$/g, '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(safe) ? safe : `"${safe.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`;
}
