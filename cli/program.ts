/** The tree of commands. Each group's file is small to load; what a command needs beyond it is loaded when it runs. */
import { inspect } from 'node:util'
import { VERSION } from '@postern/base/version.ts'
import { EXIT_CODE, Fault } from '@postern/protocol/fault.ts'
import { Command, CommanderError } from 'commander'
import { applyCommand } from './commands/apply.ts'
import { auditCommands } from './commands/audit.ts'
import { connectCommand } from './commands/connect.ts'
import { copyCommand } from './commands/copy.ts'
import { doctorCommand } from './commands/doctor.ts'
import { gatewayCommands } from './commands/gateway.ts'
import { grantCommands } from './commands/grant.ts'
import { groupCommands } from './commands/group.ts'
import { loginCommand } from './commands/login.ts'
import { nodeCommands } from './commands/node.ts'
import { oidcCommands } from './commands/oidc.ts'
import { personCommands } from './commands/person.ts'
import { queryCommand } from './commands/query.ts'
import { runCommands } from './commands/run.ts'
import { serviceCommands } from './commands/service.ts'
import { sessionCommands } from './commands/session.ts'
import { storeCommands } from './commands/store.ts'
import { tokenCommands } from './commands/token.ts'
import { Exit } from './exit.ts'
import { printFault } from './output/fault.ts'
import type { Shell } from './shell.ts'

const HELP = `
Where and who: POSTERN_URL and POSTERN_TOKEN, or \`postern login URL\`.
Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 not found, 4 denied, 5 unreachable, 6 limit, 130 interrupted.
Answers go to stdout; progress, notes and errors to stderr. With --json an error is one line of JSON on stderr.`

export function buildProgram(shell: Shell): Command {
  const program = new Command('postern')
    .description('Query and copy data in private networks without opening a port')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText('after', HELP)
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
  for (const add of [
    serviceCommands,
    nodeCommands,
    gatewayCommands,
    storeCommands,
    queryCommand,
    copyCommand,
    applyCommand,
    connectCommand,
    runCommands,
    sessionCommands,
    tokenCommands,
    grantCommands,
    groupCommands,
    auditCommands,
    personCommands,
    oidcCommands,
    loginCommand,
    doctorCommand,
  ]) {
    add(program, shell)
  }
  forEachCommand(program, (command) => {
    command.exitOverride().configureOutput({
      writeOut: (text) => void shell.stdout.write(text),
      writeErr: () => undefined, // usage errors are printed below, in one line
    })
  })
  return program
}

/** Runs one command line and says how it ended. Never throws. */
export async function runCommandLine(argv: readonly string[], shell: Shell, interrupted: AbortController): Promise<number> {
  const json = argv.includes('--json')
  const onInterrupt = () => {
    if (interrupted.signal.aborted) process.exit(130)
    interrupted.abort(new Exit(130))
  }
  process.on('SIGINT', onInterrupt)
  process.on('SIGTERM', onInterrupt)
  const program = buildProgram(shell)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (thrown) {
    if (thrown instanceof Exit) return thrown.code
    if (interrupted.signal.aborted) return 130
    if (thrown instanceof CommanderError) return usage(thrown, program, argv, shell, json)
    const fault = ours(thrown, shell)
    printFault(fault, shell, json)
    return EXIT_CODE[fault.kind]
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
  }
}

/** A bug of this process has no request id to look for; what it was is told only to those who ask. */
function ours(thrown: unknown, shell: Shell): Fault {
  const fault = Fault.from(thrown)
  if (fault.kind !== 'bug' || fault.details['requestId'] !== undefined) return fault
  if (shell.env['POSTERN_LOG'] === 'debug') shell.stderr.write(`${inspect(thrown)}\n`)
  return new Fault(fault.code, {
    remedy: 'Repeat it with POSTERN_LOG=debug in the environment and report what it then says.',
    cause: thrown,
  })
}

function usage(error: CommanderError, program: Command, argv: readonly string[], shell: Shell, json: boolean): number {
  if (error.exitCode === 0) return 0
  const command = named(program, argv)
  const path = pathOf(command)
  const said = error.code === 'commander.help' ? 'a command is missing' : error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
  const choices = command.commands.map((child) => child.name()).join(', ')
  const at = error.code === 'commander.help' && choices !== '' ? `${said}: one of ${choices}` : said
  const remedy = `See \`${path} --help\`.`
  if (json) shell.stderr.write(`${JSON.stringify({ code: 'USAGE', message: at, remedy, details: {} })}\n`)
  else shell.stderr.write(`error: ${at}\nremedy: ${remedy}\n`)
  return 2
}

/** The command that the words lead to, for the hint. */
function named(program: Command, argv: readonly string[]): Command {
  let command = program
  for (const word of argv) {
    const child = command.commands.find((candidate) => candidate.name() === word)
    if (!child) break
    command = child
  }
  return command
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) forEachCommand(child, visit)
}
