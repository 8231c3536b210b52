import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where a program of this system keeps what it must remember: `$XDG_DATA_HOME/tequio` or `~/.local/share/tequio`,
 * `~/Library/Application Support/Tequio`, `%LOCALAPPDATA%\Tequio`.
 */
export function usualDataFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Tequio');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Tequio');
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'tequio');
}
