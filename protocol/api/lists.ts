/** What is common to lists, and the bodies of changes (PATCH). */
import { z } from 'zod'
import { Name } from '../ids.ts'
import { Labels, NodeSettingsPatch, SettingsPatch } from './gateways.ts'
import { StoreLimitsChange } from './query-limits.ts'
import { StoreSettings } from './stores.ts'

/** Every list of `?limit=&cursor=`. `nextCursor` is null on the last page. */
export interface ListOf<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | null
}

/** PATCH /v1/gateways/{gateway} → GatewayView. Settings that are not named stay as they are; null = back to the default. */
export const GatewayChange = z.strictObject({ settings: SettingsPatch })
export type GatewayChange = z.input<typeof GatewayChange>

/** PATCH /v1/gateways/{gateway}/nodes/{node} → NodeView. `name` renames. */
export const NodeChange = z.strictObject({ name: Name.optional(), settings: NodeSettingsPatch.optional() })
export type NodeChange = z.input<typeof NodeChange>

/** PATCH /v1/stores/{store} → StoreView. `settings` and `sealed` replace what was there; a new audience needs a new `sealed`. */
export const StoreChange = z.strictObject({
  settings: StoreSettings.optional(),
  sealed: z.string().max(65_536).optional(),
  /** As of StoreCreate. */
  sealedTo: z.string().max(64).optional(),
  /** Goes with `sealed`; left out, none is kept. */
  secretsVersion: z.string().max(120).optional(),
  secrets: z.array(z.string().max(64)).max(32).optional(),
  /** Replaces those that were there. */
  nodeLabels: Labels.optional(),
  /** Limits that are not named stay; null takes one away. */
  limits: StoreLimitsChange.optional(),
})
export type StoreChange = z.input<typeof StoreChange>
