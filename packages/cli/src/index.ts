export type { CliWorld, SpawnedSelf, SpawnHandlers } from './cli-world.ts';
export { type ExitCode, exitCodes } from './exit-code.ts';
export { runCli } from './run-cli.ts';
