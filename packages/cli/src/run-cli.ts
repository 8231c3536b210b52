import { Command, CommanderError } from 'commander';
import type { CliWorld } from './cli-world.ts';
import { helpColumnsOf, wrapText } from './command-help.ts';
import { commandNames, loadCommand, summaryOf } from './command-table.ts';
import { ConsoleOutput } from './console-output.ts';
import { describeError, UsageError } from './errors.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { Interrupt } from './interrupt.ts';
import { errorToJson } from './json-output.ts';
import { languageOf, loadMessages } from './language.ts';
import type { Messages } from './messages/en.ts';
import type { Session } from './session.ts';
import { usageSentence } from './usage-sentence.ts';

/**
 * One Ctrl-C can arrive twice: the terminal sends it to every process of the group, and npm passes it on besides.
 * Only what comes later is the user's second.
 */
const secondSignalMs = 400;

/**
 * Runs one command line (without the program's own name) and gives its exit code. It never rejects and never ends
 * the process: the caller does, when standard output has taken everything. The first Ctrl-C ends the command in
 * good order, the second makes this return at once, with things still open.
 */
export async function runCli(argv: readonly string[], world: CliWorld): Promise<ExitCode> {
  const messages = await loadMessages(languageOf(world.env));
  const call = new Call(argv, world, messages);
  const interrupt = new Interrupt();
  let stopListening = (): void => {};
  let firstMs = 0;
  const forced = new Promise<ExitCode>((resolve) => {
    stopListening = world.onSignal(() => {
      if (!interrupt.isSet) {
        firstMs = world.nowMs();
        call.handleInterrupt(interrupt);
      } else if (world.nowMs() - firstMs >= secondSignalMs) resolve(exitCodes.interrupted);
    });
  });
  try {
    return await Promise.race([call.run(interrupt), forced]);
  } finally {
    stopListening();
    call.output.endLive();
  }
}

/** Without a command the node is run. */
function withCommand(argv: readonly string[]): readonly string[] {
  const isBare = argv.every(
    (arg, at) => /^--(?:data|json|quiet)(?:=|$)|^-q$/.test(arg) || argv[at - 1] === '--data',
  );
  return isBare ? [...argv, 'run'] : argv;
}

class Call {
  output: ConsoleOutput;
  readonly #argv: readonly string[];
  readonly #world: CliWorld;
  readonly #messages: Messages;
  readonly #programName: string;
  #exitCode: ExitCode = exitCodes.done;
  #isRunning = false;

  constructor(argv: readonly string[], world: CliWorld, messages: Messages) {
    // `help get` is `get --help`, so that the command's own file is loaded for it.
    this.#argv = argv[0] === 'help' ? [...argv.slice(1), '--help'] : withCommand(argv);
    this.#world = world;
    this.#messages = messages;
    this.#programName = world.env['npm_lifecycle_event'] === 'start' ? 'npm start --' : 'tequio';
    // Until the command line is parsed; an error in it is told in the way that was asked for.
    this.output = new ConsoleOutput(world, { json: argv.includes('--json'), quiet: false });
  }

  handleInterrupt(interrupt: Interrupt): void {
    if (this.#isRunning) this.output.note(this.#messages.get.stopping);
    interrupt.set();
  }

  async run(interrupt: Interrupt): Promise<ExitCode> {
    const program = this.#createProgram(interrupt);
    try {
      await program.parseAsync([...this.#argv], { from: 'user' });
      return this.#exitCode;
    } catch (error) {
      return error instanceof CommanderError ? this.#endOfParsing(error) : this.#endWithError(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #createProgram(interrupt: Interrupt): Command {
    const { help } = this.#messages;
    const titles: Readonly<Record<string, string>> = {
      'Usage:': help.usage,
      'Arguments:': help.arguments,
      'Options:': help.options,
      'Global Options:': help.globalOptions,
      'Commands:': help.commands,
    };
    const columns = helpColumnsOf(this.#world);
    const notes = [help.more(this.#programName), help.sizes, help.exitCodes]
      .map((text) => wrapText(text, columns))
      .join('\n');
    const program = new Command(this.#programName)
      .description(help.program)
      .helpOption('-h, --help', help.help)
      .helpCommand(false)
      .version(this.#world.version, '-V, --version', help.version)
      .option('--data <dir>', help.data)
      .option('--json', help.json)
      .option('-q, --quiet', help.quiet)
      .exitOverride()
      .configureHelp({ showGlobalOptions: true, styleTitle: (title) => titles[title] ?? title })
      .configureOutput({
        writeOut: (text) => this.#world.stdout.write(text),
        writeErr: (text) => this.#world.stderr.write(text),
        outputError: () => {},
        getOutHelpWidth: () => columns,
        getErrHelpWidth: () => columns,
      })
      .addHelpText('after', `\n${notes}`);
    for (const name of commandNames) program.command(name).summary(summaryOf(name, this.#messages));
    return program.hook('preSubcommand', async (_, command) => {
      const session = this.#createSession(program.opts(), interrupt);
      const define = await loadCommand(command.name());
      define(command, session);
    });
  }

  #createSession(
    options: { readonly data?: string; readonly json?: boolean; readonly quiet?: boolean },
    interrupt: Interrupt,
  ): Session {
    this.output = new ConsoleOutput(this.#world, {
      json: options.json === true,
      quiet: options.quiet === true,
    });
    this.#isRunning = true;
    return {
      world: this.#world,
      messages: this.#messages,
      commands: { names: commandNames, load: loadCommand, summaryOf },
      output: this.output,
      interrupt,
      dataFolder: options.data === undefined ? null : this.#world.resolvePath(options.data),
      programName: this.#programName,
      argv: this.#argv,
      finish: (code) => {
        this.#exitCode = code;
      },
    };
  }

  /** Help and version are an end too; all else is a mistake in the command line. */
  #endOfParsing(error: CommanderError): ExitCode {
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return exitCodes.done;
    const sentence = usageSentence(error, this.#messages, this.#programName);
    return this.#endWithError(new UsageError(sentence));
  }

  #endWithError(error: unknown): ExitCode {
    const described = describeError(error, this.#messages);
    if (described.exitCode === exitCodes.interrupted) return described.exitCode;
    const hint =
      described.exitCode === exitCodes.usage ? ` ${this.#messages.usage.hint(this.#helpCommand())}` : '';
    this.output.json(errorToJson(described));
    this.output.error(this.#messages.errors.line('tequio', described.message + hint));
    return described.exitCode;
  }

  /** `tequio get` for a mistake in the options of `get`. */
  #helpCommand(): string {
    const name = this.#argv.find((argument) => commandNames.includes(argument));
    return name === undefined ? this.#programName : `${this.#programName} ${name}`;
  }
}
