/** `postern group`: people and service tokens that have something together. */
import type { GroupView } from '@postern/protocol/api/grants.ts'
import type { Command } from 'commander'
import { printFacts, printJson, printLines, printTable } from '../output/print.ts'
import type { Shell } from '../shell.ts'

interface Flags {
  readonly description?: string
  readonly json?: boolean
}

const HELP = `
WHO is person/NAME or token/NAME. Groups of an OpenID Connect provider become members of the group of the same name when they sign in.

Example:
  postern group create analysts --description "look at sales"
  postern group join analysts person/ann person/bob
  postern grant give store-user --to group/analysts --on store/shop`

async function clientOf(shell: Shell) {
  return (await (await import('../api/connect.ts')).connect(shell)).client
}

function show(shell: Shell, group: GroupView): void {
  const members = group.memberList.map(({ who, source }) => (source === 'local' ? who : `${who} (${source})`))
  printFacts(shell, [
    ['group', group.name],
    ['description', group.description || '-'],
    ['members', members.join(', ') || '-'],
  ])
}

export function groupCommands(program: Command, shell: Shell): void {
  const group = program.command('group').description('groups of people and tokens').addHelpText('after', HELP)
  addGroups(group, shell)
  addMembers(group, shell)
}

function addGroups(group: Command, shell: Shell): void {
  group
    .command('create NAME')
    .description('make a group')
    .option('--description <text>', 'what it is for')
    .option('--json', 'machine-readable')
    .action(async (name: string, { description, json }: Flags) => {
      const made = await (await clientOf(shell)).groups.create(
        { name, ...(description === undefined ? {} : { description }) },
        shell.signal,
      )
      if (json) return printJson(shell, made)
      printLines(shell, `Group ${name} is made.`)
    })
  group
    .command('list')
    .description('all groups')
    .option('--json', 'machine-readable')
    .action(async ({ json }: Flags) => {
      const groups = await (await clientOf(shell)).groups.list(shell.signal)
      if (json) return printJson(shell, groups)
      const rows = groups.map((one) => [one.name, String(one.members), one.description || '-'])
      await printTable(shell, ['NAME', 'MEMBERS', 'DESCRIPTION'], rows)
    })
  group
    .command('show NAME')
    .description('one group and who is in it')
    .option('--json', 'machine-readable')
    .action(async (name: string, { json }: Flags) => {
      const one = await (await clientOf(shell)).groups.get(name, shell.signal)
      if (json) printJson(shell, one)
      else show(shell, one)
    })
  group
    .command('delete NAME')
    .description('delete a group, and with it what was given to it')
    .option('--json', 'machine-readable')
    .action(async (name: string, { json }: Flags) => {
      await (await clientOf(shell)).groups.delete(name, shell.signal)
      if (json) return printJson(shell, { name, deleted: true })
      printLines(shell, `Group ${name} is deleted.`)
    })
}

function addMembers(group: Command, shell: Shell): void {
  group
    .command('join NAME WHO...')
    .description('put people or tokens into a group')
    .option('--json', 'machine-readable')
    .action(async (name: string, members: readonly string[], { json }: Flags) => {
      const client = await clientOf(shell)
      for (const member of members) await client.groups.join(name, member, shell.signal)
      const now = await client.groups.get(name, shell.signal)
      if (json) printJson(shell, now)
      else show(shell, now)
    })
  group
    .command('leave NAME WHO...')
    .description('take people or tokens out of a group: within a second they have nothing of it any more')
    .option('--json', 'machine-readable')
    .action(async (name: string, members: readonly string[], { json }: Flags) => {
      const client = await clientOf(shell)
      for (const member of members) await client.groups.leave(name, member, shell.signal)
      const now = await client.groups.get(name, shell.signal)
      if (json) printJson(shell, now)
      else show(shell, now)
    })
}
