/** Two stores in memory with a table `orders`, and an engine over them. */
import type { OpenStore } from '../engine.ts'
import { MemoryStore } from './memory-store.ts'
import { engineOver } from './rig.ts'

export const rows = (count: number) => Array.from({ length: count }, (_, index) => [`${index}`, `name ${index}`, 'long text'])

export function setUp(count = 1_000) {
  const shop = new MemoryStore()
  const lake = new MemoryStore()
  shop.tables.set('orders', rows(count))
  const open = (store: MemoryStore): OpenStore => ({ connector: { kind: 'memory', can: store.can }, session: store })
  const stores = { shop: open(shop), lake: open(lake) }
  return { shop, lake, stores, engine: engineOver(stores) }
}

export const sorted = (table: readonly (readonly string[])[] | undefined) => (table ?? []).map((row) => row.join(',')).toSorted()
export const expected = (count = 1_000) => sorted(rows(count))
