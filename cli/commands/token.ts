import type { QueryLimits } from '@postern/protocol/api/query-limits.ts'
import type { RoleName, TokenCreate, TokenCreated } from '@postern/protocol/api/tokens.ts'
import type { Command } from 'commander'
import { collect, oneOf, parsePairs, wholeNumber } from '../input/pairs.ts'
import { GRANT_ROLES, SERVICE_ROLES } from '../input/roles.ts'
import { note, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

interface CreateFlags extends Json {
  readonly role?: RoleName
  readonly on: readonly string[]
  readonly forMe?: boolean
  readonly expiresDays?: number
  readonly maxRows?: number
  readonly maxBytes?: number
  readonly timeout?: number
  readonly concurrency?: number
  readonly connections?: number
}

const MOST = 1_000_000_000_000_000 - 1
const DAY_MS = 86_400_000

const HELP = `
Roles on the whole service: administrator (everything), operator (gateways, nodes, stores), user (queries and copies), reader (looks). Or on
gateways and stores only, with --on: gateway-admin, store-creator, store-owner, store-user, reader.
With --for-me it is your own: it can never do more than you, whatever happens to your rights later; with --role or --on it is kept to less.
Limits hold for each query that is asked with the token; the strictest of token, store and request wins.

Example:
  postern token create dashboards --role user --max-rows 10000 --timeout 30000 --concurrency 4
  postern token create nightly --on store-user=store/shop --on store-user=store/lake --expires-days 90
  postern token create laptop --for-me --expires-days 30`

export function tokenCommands(program: Command, shell: Shell): void {
  const group = program.command('token').description('who may do what: tokens of people and programs')
  addCreate(group, shell)
  group
    .command('list')
    .description('all tokens: names, roles and limits; never the tokens themselves')
    .option('--json', 'machine-readable')
    .action(async (options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const tokens = await client.tokens.list(shell.signal)
      if (options.json) return printJson(shell, tokens)
      const [{ when }, { limitsInWords }] = await Promise.all([
        import('../output/format.ts'),
        import('@postern/protocol/api/query-limits.ts'),
      ])
      await printTable(
        shell,
        ['ID', 'NAME', 'OF', 'ROLE', 'LIMITS', 'MADE', 'BY', 'EXPIRES'],
        tokens.map(({ id, name, owner, role, roles, limits, createdAt, createdBy, expiresAt }) => [
          id,
          name,
          owner ?? '-',
          [...(role === 'none' ? [] : [role]), ...roles.map((one) => `${one.role} on ${one.on}`)].join(', ') || 'none',
          limitsInWords(limits) || '-',
          when(createdAt),
          createdBy,
          when(expiresAt),
        ]),
      )
    })
  group
    .command('delete ID')
    .description('delete a token: within a second it opens nothing any more')
    .option('--json', 'machine-readable')
    .action(async (id: string, options: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.tokens.delete(id, shell.signal)
      if (options.json) return printJson(shell, { id, deleted: true })
      printLines(shell, `Token ${id} is deleted.`)
    })
}

function addCreate(group: Command, shell: Shell): void {
  group
    .command('create NAME')
    .description('make a token; prints it, once')
    .option('--role <role>', SERVICE_ROLES.join(', '), oneOf('--role', SERVICE_ROLES))
    .option('--on <role=place>', 'a role on gateway/NAME or store/NAME only; as often as wanted', collect, [])
    .option('--for-me', 'your own, which can never do more than you')
    .option('--expires-days <n>', 'it ends after so many days (default: never)', wholeNumber('--expires-days', 1, 36_500))
    .option('--max-rows <n>', 'cut results that have more rows', wholeNumber('--max-rows', 1, MOST))
    .option('--max-bytes <n>', 'cut results that have more bytes', wholeNumber('--max-bytes', 1, MOST))
    .option('--timeout <ms>', 'end queries after so long', wholeNumber('--timeout', 1, DAY_MS))
    .option('--concurrency <n>', 'queries at a time', wholeNumber('--concurrency', 1, 100_000))
    .option('--connections <n>', 'connections at a time (PostgreSQL wire, connect); 0 = none', wholeNumber('--connections', 0, 100_000))
    .option('--json', 'machine-readable')
    .addHelpText('after', HELP)
    .action(async (name: string, flags: CreateFlags) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const made = await client.tokens.create(bodyOf(name, flags, shell.clock.now()), shell.signal)
      if (flags.json) return printJson(shell, made)
      show(shell, made)
    })
}

function bodyOf(name: string, flags: CreateFlags, now: number): TokenCreate {
  const limits: QueryLimits = {
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
    ...(flags.maxRows === undefined ? {} : { maxRows: flags.maxRows }),
    ...(flags.maxBytes === undefined ? {} : { maxBytes: flags.maxBytes }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.connections === undefined ? {} : { connections: flags.connections }),
  }
  const expires = flags.expiresDays === undefined ? {} : { expiresAt: new Date(now + flags.expiresDays * DAY_MS).toISOString() }
  const roles = flags.on.flatMap((word) =>
    [...parsePairs([word], '--on')].map(([role, on]) => ({ role: oneOf('--on', GRANT_ROLES)(role), on })),
  )
  const role = flags.role === undefined ? {} : { role: flags.role }
  return { name, ...role, roles, forMe: flags.forMe === true, limits, ...expires }
}

/** The token alone goes to stdout, so that it can be kept without being seen. */
function show(shell: Shell, made: TokenCreated): void {
  note(shell, `Token ${made.name} (${made.id}, ${made.role}) is made. Shown this once:`)
  printLines(shell, made.token)
}
