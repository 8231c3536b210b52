/**
 * A systemd user unit for the node. It may write where content and its own state lie and nowhere else, gains no rights,
 * and sees no devices and no other processes' memory.
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
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
CapabilityBoundingSet=
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
