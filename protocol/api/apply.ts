/** The file of `postern apply`: what shall be there, by kind and name. `docs/reference/apply.schema.json` is made from here. */
import { z } from 'zod'
import { Name } from '../ids.ts'
import { Labels, NodeSettingsChange, SettingsChange } from './gateways.ts'
import { GrantCreate, GroupCreate } from './grants.ts'
import { PersonCreate, PersonName } from './people.ts'
import { StoreLimits } from './query-limits.ts'
import { StoreSettings } from './stores.ts'

/** Where a secret comes from; never the secret itself, for files like this one lie in repositories. */
export const ApplySecret = z
  .union([
    z.strictObject({ env: z.string().min(1).max(200) }).meta({ description: 'A variable of `postern apply` itself: read and sealed here' }),
    z.strictObject({ file: z.string().min(1).max(4_096) }).meta({ description: 'A file of this machine: read and sealed here' }),
    z
      .strictObject({ ref: z.string().min(1).max(512) })
      .meta({ description: 'Read by the node: env:POSTERN_REF_..., file:PATH, vault:MOUNT/data/PATH#FIELD' }),
  ])
  .meta({ title: 'Where the secret comes from' })
export type ApplySecret = z.infer<typeof ApplySecret>

export const ApplyGateway = z.strictObject({
  settings: SettingsChange.optional().meta({ description: 'All of them: what is not named is at its default. Left out: not touched' }),
  nodes: z
    .record(Name, z.strictObject({ settings: NodeSettingsChange }))
    .optional()
    .meta({ description: 'Settings of single nodes over those of the gateway; a node that has not joined yet waits for the next apply' }),
})
export type ApplyGateway = z.infer<typeof ApplyGateway>

export const ApplyStore = z.strictObject({
  gateway: Name,
  kind: z.string().max(40),
  settings: StoreSettings.default({}),
  secrets: z.record(z.string().max(64), ApplySecret).default({}),
  secretsVersion: z
    .union([z.string().max(60), z.int()])
    .optional()
    .meta({ description: 'Nobody can see whether a secret has changed: another version here says that it has, and it is sealed anew' }),
  nodeLabels: Labels.optional(),
  limits: StoreLimits.optional(),
})
export type ApplyStore = z.infer<typeof ApplyStore>

export const ApplyPerson = z.strictObject({
  role: PersonCreate.shape.role,
  displayName: z.string().max(127).optional(),
  email: z.string().max(254).optional(),
  disabled: z.boolean().optional(),
})
export type ApplyPerson = z.infer<typeof ApplyPerson>

export const ApplyGroup = z.strictObject({
  description: GroupCreate.shape.description.unwrap().optional(),
  members: z
    .array(z.string().regex(/^(person|token)\/[^/\s]{1,127}$/, 'person/NAME or token/NAME'))
    .max(10_000)
    .optional()
    .meta({ description: 'All who are members by our own word; those of an OpenID Connect provider are not touched' }),
})
export type ApplyGroup = z.infer<typeof ApplyGroup>

export const ApplyFile = z.strictObject({
  gateways: z.record(Name, ApplyGateway).optional(),
  stores: z.record(Name, ApplyStore).optional(),
  people: z.record(PersonName, ApplyPerson).optional(),
  groups: z.record(Name, ApplyGroup).optional(),
  grants: z.array(GrantCreate).max(10_000).optional(),
})
export type ApplyFile = z.output<typeof ApplyFile>
export const APPLY_KINDS = ['gateways', 'stores', 'people', 'groups', 'grants'] as const satisfies readonly (keyof ApplyFile)[]
export type ApplyKind = (typeof APPLY_KINDS)[number]
