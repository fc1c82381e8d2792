/** What stands in the address of the pages of stores. Anything else is left out. */

export const STORE_TABS = ['overview', 'browse', 'settings', 'limits'] as const
export type StoreTab = (typeof STORE_TABS)[number]

type Asked = Readonly<Record<string, unknown>>
/** A name of digits comes as a number. */
const text = (value: unknown): string | undefined =>
  ['string', 'number'].includes(typeof value) && value !== '' ? String(value) : undefined
const texts = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string') ? value : undefined

export interface StoresSearch {
  readonly text?: string | undefined
  readonly kind?: string | undefined
  readonly gateway?: string | undefined
}
export const readStoresSearch = ({ text: words, kind, gateway }: Asked): StoresSearch => ({
  text: text(words),
  kind: text(kind),
  gateway: text(gateway),
})

export type NewStoreSearch = Pick<StoresSearch, 'kind' | 'gateway'>
export const readNewStoreSearch = ({ kind, gateway }: Asked): NewStoreSearch => ({ kind: text(kind), gateway: text(gateway) })

export interface StoreSearch {
  readonly tab?: StoreTab | undefined
  /** The paths that led to where one is; the last one is looked at. */
  readonly trail?: readonly string[] | undefined
  /** The table whose columns are shown. */
  readonly entry?: string | undefined
}
export const readStoreSearch = ({ tab, trail, entry }: Asked): StoreSearch => ({
  tab: STORE_TABS.find((one) => one === tab && one !== 'overview'),
  trail: texts(trail),
  entry: text(entry),
})
