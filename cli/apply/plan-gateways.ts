import type { Client } from '@postern/client/client.ts'
import type { ApplyFile } from '@postern/protocol/api/apply.ts'
import { GatewaySettings, type GatewayView, type NodeSettingsPatch, type SettingsPatch } from '@postern/protocol/api/gateways.ts'
import { type Change, differences, nothing } from './change.ts'

interface Parts {
  readonly client: Client
  readonly wanted: NonNullable<ApplyFile['gateways']>
  readonly actual: readonly GatewayView[]
  readonly where: (...path: readonly (string | number)[]) => string
}

/** Settings that stand in the file are all there are: what it does not name goes back to its default. */
export function planGateways({ client, wanted, actual, where }: Parts): Change[] {
  const defaults = GatewaySettings.parse({})
  return Object.entries(wanted).flatMap(([name, { settings, nodes = {} }]): Change[] => {
    const there = actual.find((gateway) => gateway.name === name)
    const full = settings && { ...defaults, ...settings }
    const fields = full ? differences(there?.settings ?? defaults, full, 'settings.') : []
    const patch = Object.fromEntries(
      fields.map(({ name: field }) => {
        const setting = field.slice('settings.'.length)
        return [setting, (settings as Readonly<Record<string, unknown>>)[setting] ?? null]
      }),
    ) as SettingsPatch
    const place = where('gateways', name)
    const change: Change = there
      ? {
          kind: 'gateway',
          name,
          action: fields.length > 0 ? 'change' : 'same',
          fields,
          where: place,
          run: async (signal) => {
            await client.gateways.set(name, patch, signal)
            return {}
          },
        }
      : {
          kind: 'gateway',
          name,
          action: 'create',
          fields: fields.map(({ name: field, after }) => ({ name: field, after })),
          where: place,
          run: async (signal) => {
            const { key1, key2 } = await client.gateways.create({ name, ...(settings ? { settings } : {}) }, signal)
            return { key1, key2 }
          },
        }
    return [change, ...Object.entries(nodes).map(([node, { settings: own }]) => planNode({ client, there, where }, name, node, own))]
  })
}

function planNode(
  { client, there, where }: Pick<Parts, 'client' | 'where'> & { readonly there: GatewayView | undefined },
  gateway: string,
  node: string,
  wanted: Readonly<Record<string, unknown>>,
): Change {
  const seen = there?.nodes.find((one) => one.name === node)
  const base = { kind: 'node', name: `${gateway}/${node}`, where: where('gateways', gateway, 'nodes', node) } as const
  if (!seen) return { ...base, action: 'wait', fields: [], why: 'it has not joined yet', run: nothing }
  const before = seen.settings as Readonly<Record<string, unknown>>
  // What is not named any more goes back to the gateway's.
  const gone = Object.keys(before).filter((name) => wanted[name] === undefined)
  const fields = [
    ...differences(before, wanted, 'settings.'),
    ...differences({}, Object.fromEntries(gone.map((name) => [name, before[name]])), 'settings.').map(({ name, after }) => ({
      name,
      before: after,
    })),
  ]
  const settings = { ...wanted, ...Object.fromEntries(gone.map((name) => [name, null])) } as NodeSettingsPatch
  return {
    ...base,
    action: fields.length > 0 ? 'change' : 'same',
    fields,
    run: async (signal) => {
      await client.nodes.change(gateway, node, { settings }, signal)
      return {}
    },
  }
}
