/** People, groups and grants. */
import type { Client } from '@postern/client/client.ts'
import type { ApplyFile } from '@postern/protocol/api/apply.ts'
import type { GrantView, GroupView } from '@postern/protocol/api/grants.ts'
import type { PersonView } from '@postern/protocol/api/people.ts'
import { type Change, differences, type Field } from './change.ts'

interface Parts<Wanted, Actual> {
  readonly client: Client
  readonly wanted: Wanted
  readonly actual: readonly Actual[]
  readonly where: (...path: readonly (string | number)[]) => string
}

export function planPeople({ client, wanted, actual, where }: Parts<NonNullable<ApplyFile['people']>, PersonView>): Change[] {
  return Object.entries(wanted).map(([name, person]): Change => {
    const there = actual.find((one) => one.name === name.toLowerCase())
    const base = { kind: 'person', name, where: where('people', name) } as const
    const before = there ? { ...there, email: there.email ?? '' } : { disabled: false }
    const fields = differences(before, person)
    if (there) {
      const run = async (signal: AbortSignal) => {
        await client.people.change(name, person, signal)
        return {}
      }
      return { ...base, action: fields.length > 0 ? 'change' : 'same', fields, run }
    }
    const { disabled, ...made } = person
    const run = async (signal: AbortSignal): Promise<Readonly<Record<string, string>>> => {
      const { oncePassword } = await client.people.create({ name, ...made }, signal)
      if (disabled) await client.people.change(name, { disabled }, signal)
      return oncePassword === undefined ? {} : { password: oncePassword }
    }
    return { ...base, action: 'create', fields, run }
  })
}

export function planGroups({ client, wanted, actual, where }: Parts<NonNullable<ApplyFile['groups']>, GroupView>): Change[] {
  return Object.entries(wanted).map(([name, { description, members }]): Change => {
    const there = actual.find((one) => one.name === name)
    const own = (there?.memberList ?? []).filter(({ source }) => source === 'local').map(({ who }) => who)
    const missing = (members ?? []).filter((who) => !own.includes(who))
    const over = members ? own.filter((who) => !members.includes(who)) : []
    const fields: Field[] = [
      ...differences({ description: there?.description ?? '' }, { description }),
      ...missing.map((after) => ({ name: 'member', after })),
      ...over.map((before) => ({ name: 'member', before })),
    ]
    const run = async (signal: AbortSignal) => {
      if (!there) await client.groups.create({ name, ...(description === undefined ? {} : { description }) }, signal)
      else if (description !== undefined && description !== there.description) await client.groups.change(name, { description }, signal)
      for (const who of missing) await client.groups.join(name, who, signal)
      for (const who of over) await client.groups.leave(name, who, signal)
      return {}
    }
    const action = there ? (fields.length > 0 ? 'change' : 'same') : 'create'
    return { kind: 'group', name, action, fields, where: where('groups', name), run }
  })
}

const grantName = ({ to, role, on }: { readonly to: string; readonly role: string; readonly on: string }) => `${role} on ${on} to ${to}`

export function planGrants({ client, wanted, actual, where }: Parts<NonNullable<ApplyFile['grants']>, GrantView>): Change[] {
  return wanted.map((grant, index): Change => {
    const name = grantName(grant)
    const there = actual.some((one) => grantName(one) === name)
    const run = async (signal: AbortSignal) => {
      await client.grants.give(grant, signal)
      return {}
    }
    return { kind: 'grant', name, action: there ? 'same' : 'create', fields: [], where: where('grants', index), run }
  })
}

/** What is there and does not stand in the file. */
export function pruneGrants(client: Client, wanted: NonNullable<ApplyFile['grants']>, actual: readonly GrantView[]): Change[] {
  const kept = new Set(wanted.map(grantName))
  return actual
    .filter((grant) => !kept.has(grantName(grant)))
    .map((grant) => ({
      kind: 'grant',
      name: grantName(grant),
      action: 'delete',
      fields: [],
      run: async (signal) => {
        await client.grants.take(grant.id, signal)
        return {}
      },
    }))
}

/** The same for what has a name. */
export function pruneNamed(
  kind: Change['kind'],
  wanted: Readonly<Record<string, unknown>>,
  actual: readonly { readonly name: string }[],
  remove: (name: string, signal: AbortSignal) => Promise<void>,
): Change[] {
  return actual
    .filter(({ name }) => !Object.hasOwn(wanted, name))
    .map(({ name }) => ({
      kind,
      name,
      action: 'delete',
      fields: [],
      run: async (signal) => {
        await remove(name, signal)
        return {}
      },
    }))
}
