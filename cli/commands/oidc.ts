/** `postern oidc`: OpenID Connect providers whose people may sign in. */
import type { OidcProviderPut, OidcProviderView } from '@postern/protocol/api/oidc.ts'
import type { Command } from 'commander'
import { parsePairs } from '../input/pairs.ts'
import { printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Json {
  readonly json?: boolean
}

const LISTS = ['scopes', 'allowGroups', 'allowDomains'] as const
const TEXTS = ['issuer', 'clientId', 'secret', 'title', 'nameClaim', 'emailClaim', 'groupsClaim', 'defaultRole'] as const

const HELP = `
issuer, clientId          as the provider says
secret                    env:POSTERN_OIDC_... (a variable of the service) or file:NAME (DIR/secrets/NAME of its data folder); empty: a public client
allowDomains=a.com,b.com  whose verified e-mail addresses may come; "*": everybody there
allowGroups=g,h           whose members may come
role.GROUP=ROLE           administrator, operator, user, reader or none for the members of a group, who may come too; role.GROUP= takes it away
defaultRole=ROLE          of those whose groups give none (default: none); "refuse": they may not come
scopes=openid,profile     nameClaim, emailClaim, groupsClaim: where the provider says it (preferred_username, email, groups)
title=TEXT                on the button

Example:
  postern oidc set acme issuer=https://login.example.com clientId=postern secret=env:POSTERN_OIDC_ACME \\
    allowDomains=example.com role.dba=operator
The provider must let people come back to the address that is printed.`

export function oidcCommands(program: Command, shell: Shell): void {
  const group = program.command('oidc').description('OpenID Connect: providers whose people may sign in').addHelpText('after', HELP)
  group
    .command('set NAME KEY=VALUE...')
    .description('set up a provider, or change one; what is not named stays')
    .option('--json', 'machine-readable')
    .action(async (name: string, words: readonly string[], flags: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const before = (await client.oidc.list(shell.signal)).find((one) => one.name === name)
      const after = await client.oidc.put(name, await bodyOf(words, before), shell.signal)
      if (flags.json) return printJson(shell, after)
      printFacts(shell, [
        ['provider', after.name],
        ['comes back to', after.redirectUri],
        ['sign in', `postern login URL --oidc ${after.name}`],
      ])
    })
  group
    .command('list')
    .description('all providers')
    .option('--json', 'machine-readable')
    .action(async (flags: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      const all = await client.oidc.list(shell.signal)
      if (flags.json) return printJson(shell, all)
      await printTable(shell, ['NAME', 'ISSUER', 'CLIENT', 'WHO MAY COME', 'COMES BACK TO'], all.map(rowOf))
    })
  group
    .command('delete NAME')
    .description('nobody signs in by it any more; accounts stay')
    .option('--json', 'machine-readable')
    .action(async (name: string, flags: Json) => {
      const { client } = await (await import('../api/connect.ts')).connect(shell)
      await client.oidc.delete(name, shell.signal)
      if (flags.json) return printJson(shell, { name, deleted: true })
      printLines(shell, `Provider ${name} is deleted.`)
    })
}

function rowOf({ name, issuer, clientId, allowDomains, allowGroups, roles, redirectUri }: OidcProviderView): string[] {
  const who = [...allowDomains.map((domain) => `@${domain}`), ...allowGroups, ...Object.keys(roles)]
  return [name, issuer, clientId, who.join(', ') || 'nobody', redirectUri]
}

async function bodyOf(words: readonly string[], before: OidcProviderView | undefined): Promise<OidcProviderPut> {
  const { Fault } = await import('@postern/protocol/fault.ts')
  const { name: _, redirectUri: __, createdAt: ___, ...known } = before ?? { name: '', redirectUri: '', createdAt: '' }
  const roles: Record<string, string> = { ...before?.roles }
  const body: Record<string, unknown> = { ...known }
  for (const [key, value] of parsePairs(words, 'set')) {
    if (key.startsWith('role.')) {
      if (value === '') delete roles[key.slice(5)]
      else roles[key.slice(5)] = value
    } else if (LISTS.some((one) => one === key)) body[key] = value.split(',').filter((item) => item !== '')
    else if (TEXTS.some((one) => one === key)) body[key] = value
    else throw new Fault('SETTING_UNKNOWN', { at: `"${key}" is none of ${[...TEXTS, ...LISTS].join(', ')}, role.GROUP.` })
  }
  // The service says what is missing or wrong.
  return { ...body, roles } as OidcProviderPut
}
