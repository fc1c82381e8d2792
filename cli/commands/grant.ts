/** `postern grant`: who has which role where. */
import type { Command } from 'commander'
import { oneOf } from '../input/pairs.ts'
import { GRANT_ROLES } from '../input/roles.ts'
import { printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Flags {
  readonly to?: string
  readonly on?: string
  readonly json?: boolean
}

const HELP = `
WHO is person/NAME, group/NAME or token/NAME; PLACE is service, gateway/NAME or store/NAME. What is given on a gateway holds on its stores.

  on a gateway: gateway-admin (settings, nodes, keys, stores, roles), store-creator, store-user, reader
  on a store:   store-owner (settings, credential, roles), store-user (queries, connections, copies), reader
  on the service: administrator, operator, user, reader

Nobody gives a role that allows more there than he has himself.

Examples:
  postern grant give store-user --to group/analysts --on store/shop
  postern grant list --on gateway/demo`

async function clientOf(shell: Shell) {
  return (await (await import('../api/connect.ts')).connect(shell)).client
}

export function grantCommands(program: Command, shell: Shell): void {
  const group = program.command('grant').description('roles of people, groups and tokens on gateways and stores').addHelpText('after', HELP)
  group
    .command('give ROLE')
    .description('give a role; giving it again changes nothing')
    .requiredOption('--to <who>', 'person/NAME, group/NAME or token/NAME')
    .requiredOption('--on <place>', 'service, gateway/NAME or store/NAME')
    .option('--json', 'machine-readable')
    .action(async (word: string, { to = '', on = '', json }: Flags) => {
      const role = oneOf('ROLE', GRANT_ROLES)(word)
      const given = await (await clientOf(shell)).grants.give({ to, role, on }, shell.signal)
      if (json) return printJson(shell, given)
      printLines(shell, `${given.to} is ${given.role} on ${given.on} (${given.id}).`)
    })
  group
    .command('list')
    .description('what was given, on what you may give roles on; and to you')
    .option('--to <who>', 'only to this person, group or token itself')
    .option('--on <place>', 'only there; of a gateway with its stores')
    .option('--json', 'machine-readable')
    .action(async ({ to, on, json }: Flags) => {
      const wanted = { ...(to === undefined ? {} : { to }), ...(on === undefined ? {} : { on }) }
      const grants = await (await clientOf(shell)).grants.list(wanted, shell.signal)
      if (json) return printJson(shell, grants)
      const { when } = await import('../output/format.ts')
      const rows = grants.map((one) => [one.id, one.to, one.role, one.on, when(one.createdAt), one.createdBy])
      await printTable(shell, ['ID', 'WHO', 'ROLE', 'ON', 'GIVEN', 'BY'], rows)
    })
  group
    .command('take ID')
    .description('take a role away: within a second it allows nothing any more')
    .option('--json', 'machine-readable')
    .action(async (id: string, { json }: Flags) => {
      await (await clientOf(shell)).grants.take(id, shell.signal)
      if (json) return printJson(shell, { id, deleted: true })
      printLines(shell, `${id} is taken away.`)
    })
}
