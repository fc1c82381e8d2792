/** `postern person`: accounts of people, and where they are signed in. */
import type { PersonChange, PersonCreated, PersonView, SignInView } from '@postern/protocol/api/people.ts'
import type { Command } from 'commander'
import { oneOf, parsePairs, wholeNumber } from '../input/pairs.ts'
import { note, printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

interface CreateFlags extends Json {
  readonly role: PersonView['role']
  readonly displayName?: string
  readonly email?: string
  readonly password?: string
}

const ROLES = ['administrator', 'operator', 'user', 'reader', 'none'] as const
const SETTINGS = ['idleSeconds', 'lifeSeconds'] as const
const MOST_SECONDS = 31_536_000

const HELP = `
Roles hold on the whole service: administrator (everything), operator (gateways, nodes, stores), user (queries and copies), reader (looks),
none (only what is given on gateways and stores, to the person or its groups).

The first administrator, with the token of the service's first start:
  POSTERN_TOKEN=$(cat .postern/service/admin-token) postern person create ann --role administrator
  postern login http://127.0.0.1:7400 --name ann`

export function personCommands(program: Command, shell: Shell): void {
  const group = program.command('person').description('people: accounts, passwords, sign-ins').addHelpText('after', HELP)
  addAccounts(group, shell)
  addChanges(group, shell)
  addSignIns(group, shell)
}

async function clientOf(shell: Shell) {
  return (await (await import('../api/connect.ts')).connect(shell)).client
}

function addAccounts(group: Command, shell: Shell): void {
  group
    .command('create NAME')
    .description('make an account; prints a password that is good for one sign-in, once')
    .requiredOption('--role <role>', ROLES.join(', '), oneOf('--role', ROLES))
    .option('--display-name <text>', 'as others see it')
    .option('--email <address>', 'for those who look for the person')
    .option('--password <->', 'a password to keep instead; "-": asked for without echo, or a line of stdin', oneOf('--password', ['-']))
    .option('--json', 'machine-readable')
    .action((name: string, flags: CreateFlags) => create(name, flags, shell))
  group
    .command('list')
    .description('all people')
    .option('--json', 'machine-readable')
    .action(async (flags: Json) => {
      const people = await (await clientOf(shell)).people.list(shell.signal)
      if (flags.json) return printJson(shell, people)
      const { when } = await import('../output/format.ts')
      const head = ['NAME', 'ROLE', 'SHOWN AS', 'E-MAIL', 'PASSWORD', 'FROM', 'SIGNED IN']
      await printTable(
        shell,
        head,
        people.map((one) => [
          one.disabled ? `${one.name} (disabled)` : one.name,
          one.role,
          one.displayName || '-',
          one.email ?? '-',
          one.password,
          one.issuer ?? 'here',
          when(one.signedInAt),
        ]),
      )
    })
  group
    .command('show NAME')
    .description('one person')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => {
      const one = await (await clientOf(shell)).people.get(name, shell.signal)
      if (flags.json) return printJson(shell, one)
      const { when } = await import('../output/format.ts')
      printFacts(shell, [
        ['name', one.name],
        ['role', one.role],
        ['shown as', one.displayName || '-'],
        ['e-mail', one.email ?? '-'],
        ['state', one.disabled ? 'disabled' : 'enabled'],
        ['password', one.password],
        ['from', one.issuer ?? 'here'],
        ['made', `${when(one.createdAt)} by ${one.createdBy}`],
        ['signed in', when(one.signedInAt)],
      ])
    })
}

async function create(name: string, { role, displayName, email, password, json }: CreateFlags, shell: Shell): Promise<void> {
  const client = await clientOf(shell)
  const { SecretReader } = await import('../input/ask-secret.ts')
  const chosen = password === undefined ? {} : { password: await new SecretReader(shell).ask(`Password of ${name}`) }
  const shown = { ...(displayName === undefined ? {} : { displayName }), ...(email === undefined ? {} : { email }) }
  const made = await client.people.create({ name, role, ...shown, ...chosen }, shell.signal)
  showPassword(made, `${made.name} (${made.role}) is made.`, json, shell)
}

/** The password alone goes to stdout, so that it can be passed on without being seen. */
function showPassword(made: PersonCreated, said: string, json: boolean | undefined, shell: Shell): void {
  if (json) printJson(shell, made)
  else if (made.oncePassword === undefined) printLines(shell, said)
  else showOnce(made.oncePassword, said, shell)
}

function showOnce(password: string, said: string, shell: Shell): void {
  note(shell, `${said} The password, good for one sign-in, at which a new one is chosen. Shown this once:`)
  printLines(shell, password)
}

function addChanges(group: Command, shell: Shell): void {
  group
    .command('set NAME KEY=VALUE...')
    .description('change role, displayName, email')
    .option('--json', 'machine-readable')
    .action(async (name: string, words: readonly string[], flags: Json) => {
      const client = await clientOf(shell)
      const changed = await client.people.change(name, await changeOf(words), shell.signal)
      if (flags.json) return printJson(shell, changed)
      printLines(shell, `${changed.name} is changed.`)
    })
  for (const [command, disabled, said] of [
    ['disable', true, 'cannot sign in any more, and is signed out everywhere'],
    ['enable', false, 'can sign in again'],
  ] as const)
    group
      .command(`${command} NAME`)
      .description(disabled ? 'no sign-in any more; what is open ends within a second' : 'sign-ins again')
      .option('--json', 'machine-readable')
      .action(async (name: string, flags: Json) => {
        const changed = await (await clientOf(shell)).people.change(name, { disabled }, shell.signal)
        if (flags.json) return printJson(shell, changed)
        printLines(shell, `${changed.name} ${said}.`)
      })
  group
    .command('reset NAME')
    .description('give a new password, good for one sign-in; prints it, once. What is open under the old one ends')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => {
      const reset = await (await clientOf(shell)).people.resetPassword(name, shell.signal)
      showPassword(reset, `${reset.name} has a new password.`, flags.json, shell)
    })
  group
    .command('delete NAME')
    .description('delete an account; what it did stays in the audit')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => {
      await (await clientOf(shell)).people.delete(name, shell.signal)
      if (flags.json) return printJson(shell, { name, deleted: true })
      printLines(shell, `${name} is deleted.`)
    })
  group
    .command('password')
    .description("change one's own password; other sign-ins end")
    .action(() => changeOwn(shell))
}

async function changeOf(words: readonly string[]): Promise<PersonChange> {
  const { Fault } = await import('@postern/protocol/fault.ts')
  const pairs = parsePairs(words, 'set')
  for (const key of pairs.keys())
    if (!['role', 'displayName', 'email'].includes(key))
      throw new Fault('SETTING_UNKNOWN', { at: `"${key}" is none of role, displayName, email.` })
  const [role, displayName, email] = [pairs.get('role'), pairs.get('displayName'), pairs.get('email')]
  return {
    ...(role === undefined ? {} : { role: oneOf('role', ROLES)(role) }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(email === undefined ? {} : { email }),
  }
}

async function changeOwn(shell: Shell): Promise<void> {
  const client = await clientOf(shell)
  const [{ SecretReader }, { askNewPassword }] = await Promise.all([import('../input/ask-secret.ts'), import('../input/ask-password.ts')])
  const reader = new SecretReader(shell)
  const password = await reader.ask('Old password')
  await client.signIn.changePassword({ password, newPassword: await askNewPassword(reader, shell) }, shell.signal)
  printLines(shell, 'The password is changed. Other sign-ins have ended.')
}

function addSignIns(group: Command, shell: Shell): void {
  group
    .command('sign-ins [NAME]')
    .description('where one is signed in oneself; with NAME, where somebody else is')
    .option('--json', 'machine-readable')
    .action(async (name: string | undefined, flags: Json) => {
      const client = await clientOf(shell)
      const signIns = await (name === undefined ? client.signIn.list(shell.signal) : client.people.signIns(name, shell.signal))
      if (flags.json) return printJson(shell, signIns)
      await printSignIns(signIns, shell)
    })
  group
    .command('sign-out [NAME]')
    .description("end the sign-ins of somebody; without NAME all of one's own but this one")
    .option('--id <id>', "only this one of one's own")
    .option('--json', 'machine-readable')
    .action(async (name: string | undefined, flags: Json & { readonly id?: string }) => {
      const client = await clientOf(shell)
      const ended = await endSignIns(client, name, flags.id, shell.signal)
      if (flags.json) return printJson(shell, { ended })
      printLines(shell, `${ended} ${ended === 1 ? 'sign-in has' : 'sign-ins have'} ended.`)
    })
  group
    .command('settings [KEY=VALUE...]')
    .description(`how long sign-ins last: ${SETTINGS.join(', ')}`)
    .option('--json', 'machine-readable')
    .action(async (words: readonly string[], flags: Json) => {
      const client = await clientOf(shell)
      const changes = await settingsOf(words)
      const now = await (words.length === 0 ? client.signIn.settings(shell.signal) : client.signIn.setSettings(changes, shell.signal))
      if (flags.json) return printJson(shell, now)
      printFacts(
        shell,
        SETTINGS.map((key) => [key, String(now[key])] as const),
      )
    })
}

async function endSignIns(
  client: Awaited<ReturnType<typeof clientOf>>,
  name: string | undefined,
  id: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  if (name !== undefined) return (await client.people.signOut(name, signal)).ended
  if (id === undefined) return (await client.signIn.endAll({ others: true }, signal)).ended
  await client.signIn.endOne(id, signal)
  return 1
}

async function settingsOf(words: readonly string[]) {
  const { Fault } = await import('@postern/protocol/fault.ts')
  const changes: Partial<Record<(typeof SETTINGS)[number], number>> = {}
  for (const [key, value] of parsePairs(words, 'settings')) {
    const setting = SETTINGS.find((one) => one === key)
    if (!setting) throw new Fault('SETTING_UNKNOWN', { at: `"${key}" is none of ${SETTINGS.join(', ')}.` })
    changes[setting] = wholeNumber(key, 60, MOST_SECONDS)(value)
  }
  return changes
}

async function printSignIns(signIns: readonly SignInView[], shell: Shell): Promise<void> {
  if (signIns.length === 0) return note(shell, 'Nowhere.')
  const { when } = await import('../output/format.ts')
  await printTable(
    shell,
    ['ID', 'BY', 'SINCE', 'USED', 'ENDS', 'ADDRESS', 'PROGRAM'],
    signIns.map((one) => [
      one.current ? `${one.id} (this one)` : one.id,
      one.way,
      when(one.createdAt),
      when(one.usedAt),
      when(one.expiresAt),
      one.address ?? '-',
      one.agent || '-',
    ]),
  )
}
