import type { SignedIn } from '@postern/protocol/api/people.ts'
import type { Command } from 'commander'
import { wholeNumber } from '../input/pairs.ts'
import { printJson, printLines } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface LoginFlags {
  readonly name?: string
  /** True without a name behind it: the only provider there is. */
  readonly oidc?: string | true
  readonly port: number
  readonly browser: boolean
  readonly json?: boolean
}

const HELP = `
With --name a password is asked for, with --oidc a browser signs in; without either a token is asked for, or taken from POSTERN_TOKEN or stdin.
The first token is that of the administrator: admin-token in the data folder of the service. Make yourself an account with it:
  POSTERN_TOKEN=$(cat .postern/service/admin-token) postern person create NAME --role administrator
On a machine without a browser: --oidc --port 8765 there, and \`ssh -L 8765:127.0.0.1:8765 MACHINE\` from the one that has one.`

export function loginCommand(program: Command, shell: Shell): void {
  program
    .command('login URL')
    .description('sign in at a service and remember it: with name and password, through OpenID Connect, or with a token')
    .option('--name <name>', 'with name and password; asked for without echo, or a line of stdin')
    .option('--oidc [provider]', 'in a browser, through the OpenID Connect provider of this name')
    .option('--port <port>', 'of this machine, to which the browser comes back; 0 = any free one', wholeNumber('--port', 0, 65_535), 0)
    .option('--no-browser', 'print the address only, start no browser')
    .option('--json', 'machine-readable')
    .addHelpText('after', HELP)
    .action((url: string, flags: LoginFlags) => login(url, flags, shell))
  program
    .command('logout')
    .description('end this sign-in, at the service too, and forget it')
    .option('--json', 'machine-readable')
    .action((flags: { readonly json?: boolean }) => logout(flags, shell))
}

async function login(url: string, flags: LoginFlags, shell: Shell): Promise<void> {
  const [{ Client }, { httpFetch }, { writeLogin }, { Fault }] = await Promise.all([
    import('@postern/client/client.ts'),
    import('../api/http-fetch.ts'),
    import('../api/login-file.ts'),
    import('@postern/protocol/fault.ts'),
  ])
  if (flags.name !== undefined && flags.oidc !== undefined)
    throw new Fault('INPUT_INVALID', { at: '--name and --oidc do not go together.' })
  const signedIn =
    flags.name !== undefined
      ? await byPassword(url, flags.name, shell)
      : flags.oidc !== undefined
        ? await byOidc(url, flags, shell)
        : undefined
  const token = signedIn?.token ?? (await askToken(shell))
  // A token that does not work is not remembered.
  if (!signedIn) await new Client({ url, token, fetch: httpFetch }).gateways.list(shell.signal)
  const path = await writeLogin(shell.configFolder, { url, token })
  const who = signedIn ? { name: signedIn.name, role: signedIn.role, expiresAt: signedIn.expiresAt } : {}
  if (flags.json) return printJson(shell, { url, path, ...who })
  if (!signedIn) return printLines(shell, `Signed in to ${url}. The token is in ${path}; delete that file to sign out.`)
  const { when } = await import('../output/format.ts')
  printLines(
    shell,
    `Signed in to ${url} as ${signedIn.name} (${signedIn.role}), until ${when(signedIn.expiresAt)} at the latest. \`postern logout\` ends it.`,
  )
}

async function askToken(shell: Shell): Promise<string> {
  const { SecretReader } = await import('../input/ask-secret.ts')
  return (shell.env['POSTERN_TOKEN'] || (await new SecretReader(shell).ask('Token'))).trim()
}

async function clientAt(url: string) {
  const [{ Client }, { httpFetch }] = await Promise.all([import('@postern/client/client.ts'), import('../api/http-fetch.ts')])
  return new Client({ url, fetch: httpFetch })
}

async function byPassword(url: string, name: string, shell: Shell): Promise<SignedIn> {
  const [client, { SecretReader }, { Fault }] = await Promise.all([
    clientAt(url),
    import('../input/ask-secret.ts'),
    import('@postern/protocol/fault.ts'),
  ])
  const reader = new SecretReader(shell)
  const password = await reader.ask(`Password of ${name}`)
  try {
    return await client.signIn.begin({ name, password }, shell.signal)
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'PASSWORD_CHANGE_NEEDED') throw thrown
  }
  const { note } = await import('../output/print.ts')
  const { askNewPassword } = await import('../input/ask-password.ts')
  note(shell, 'This password was good for one sign-in. Choose your own.')
  return await client.signIn.begin({ name, password, newPassword: await askNewPassword(reader, shell) }, shell.signal)
}

async function byOidc(url: string, flags: LoginFlags, shell: Shell): Promise<SignedIn> {
  const [client, { signInByBrowser }] = await Promise.all([clientAt(url), import('../api/loopback.ts')])
  const provider = await providerOf(client, flags.oidc, shell)
  const handover = await signInByBrowser({ shell, url, provider, port: flags.port, openBrowser: flags.browser })
  return await client.signIn.handover(handover, shell.signal)
}

/** The one that is named, or the only one. */
async function providerOf(client: Awaited<ReturnType<typeof clientAt>>, named: string | true | undefined, shell: Shell): Promise<string> {
  const { Fault } = await import('@postern/protocol/fault.ts')
  const { providers } = await client.signIn.ways(shell.signal)
  // Asked before anybody goes to a page that says so.
  if (typeof named === 'string') {
    if (!providers.some(({ name }) => name === named)) throw new Fault('OIDC_PROVIDER_UNKNOWN', { at: named })
    return named
  }
  const [only, ...more] = providers
  if (!only) throw new Fault('OIDC_PROVIDER_UNKNOWN', { at: 'The service has none.' })
  if (more.length > 0) throw new Fault('INPUT_INVALID', { at: `--oidc: name one of ${providers.map(({ name }) => name).join(', ')}.` })
  return only.name
}

async function logout(flags: { readonly json?: boolean }, shell: Shell): Promise<void> {
  const [{ readLogin, forgetLogin }, { Client }, { httpFetch }, { Fault }] = await Promise.all([
    import('../api/login-file.ts'),
    import('@postern/client/client.ts'),
    import('../api/http-fetch.ts'),
    import('@postern/protocol/fault.ts'),
  ])
  const known = await readLogin(shell.configFolder)
  if (!known) throw new Fault('TOKEN_MISSING', { at: 'Nobody is signed in here.' })
  try {
    await new Client({ ...known, fetch: httpFetch }).signIn.end(shell.signal)
  } catch (thrown) {
    // A token of a program has no sign-in to end, and one that has ended is ended.
    const ended = thrown instanceof Fault && (thrown.code === 'SIGN_IN_UNKNOWN' || thrown.code === 'TOKEN_INVALID')
    if (!ended) throw thrown
  }
  await forgetLogin(shell.configFolder)
  if (flags.json) return printJson(shell, { url: known.url, signedOut: true })
  printLines(shell, `Signed out of ${known.url}.`)
}
