/**
 * What the program says to the shell when it ends. The numbers above 60 are those of BSD's sysexits, so that scripts
 * can tell a bad file from a dead network.
 */
export const exitCodes = {
  done: 0,
  /** The command line itself is wrong: nothing was started. */
  usage: 2,
  /** A torrent, magnet link or content that is not what it should be. */
  badData: 65,
  /** A file, folder or address that the user named does not exist. */
  inputMissing: 66,
  /** No peer, tracker or server could be reached, or no port could be opened. */
  unreachable: 69,
  /** A mistake of ours. */
  bug: 70,
  /** A file could not be read or written. */
  fileError: 74,
  /** Ctrl-C or a signal; all state is kept, and the same command goes on from there. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
