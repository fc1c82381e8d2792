/** Which stores are new to a node. Pure: the service answers by it, and a node that another asks over the channel. */
import type { StoreId } from './ids.ts'
import type { StoresAsked } from './node-api.ts'

interface StoreVersion {
  readonly id: StoreId
  readonly version: number
}

export interface StoresNews {
  /** In the order of `have`. */
  readonly wanted: readonly StoreId[]
  readonly gone: StoreId[]
}

/** What `have` has that the asker does not know in this version or a newer one; and what the asker knows and is not there. */
export function storesNews(have: readonly StoreVersion[], { known, only }: StoresAsked): StoresNews {
  const versions = new Map(known.map(({ id, version }) => [id, version]))
  const asked = only && new Set(only)
  const mine = asked ? have.filter(({ id }) => asked.has(id)) : have
  const there = new Set(have.map(({ id }) => id))
  return {
    wanted: mine.filter(({ id, version }) => (versions.get(id) ?? 0) < version).map(({ id }) => id),
    gone: asked ? [] : known.filter(({ id }) => !there.has(id)).map(({ id }) => id),
  }
}

/** As many of them as fit, at least one: an answer has an end. */
export function within<Item>(items: readonly Item[], bytes: number): Item[] {
  let left = bytes
  const fitting: Item[] = []
  for (const item of items) {
    left -= JSON.stringify(item).length
    if (left < 0 && fitting.length > 0) break
    fitting.push(item)
  }
  return fitting
}
