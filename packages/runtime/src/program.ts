/** Other programs that a user wants to be run. Never through a shell: what a torrent is called is not a command. */
import { spawn } from 'node:child_process';

export type ProgramRun = {
  /** Null: it could not be started, or took too long and was ended. */
  readonly exitCode: number | null;
  /** Why not; null: it has ended by itself. */
  readonly reason: string | null;
};

/** Of what a program writes nothing is kept. */
export function runProgram(
  argv: readonly string[],
  options: { readonly cwd: string; readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<ProgramRun> {
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      stdio: 'ignore',
      shell: false,
      windowsHide: true,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    child.on('error', (error) => resolve({ exitCode: null, reason: error.message }));
    child.on('exit', (exitCode, signal) =>
      resolve({ exitCode, reason: signal === null ? null : `it was ended by ${signal}` }),
    );
  });
}
