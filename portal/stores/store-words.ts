/** Stores in words, and those that a filter leaves. Pure. */
import type { StoreSettings, StoreView } from '@postern/protocol/api/stores.ts'

/** "db.internal:5432/shop", "/srv/lake", "lake/sales": where it leads, as a person would say it. */
export function placeOf(settings: StoreSettings): string {
  const text = (name: string) => (settings[name] === undefined ? '' : String(settings[name]))
  const [host, bucket] = [text('host'), text('bucket') || text('container')]
  if (host !== '') return `${host}${text('port') && `:${text('port')}`}${text('database') && `/${text('database')}`}`
  if (bucket !== '') return [text('account'), bucket, text('prefix')].filter((part) => part !== '').join('/')
  return text('path')
}

export interface StoreFilter {
  readonly text?: string | undefined
  readonly kind?: string | undefined
  readonly gateway?: string | undefined
}

export function storesMatching(stores: readonly StoreView[], { text = '', kind, gateway }: StoreFilter): readonly StoreView[] {
  const wanted = text.trim().toLowerCase()
  return stores.filter(
    (store) =>
      (kind === undefined || store.kind === kind) &&
      (gateway === undefined || store.gateway === gateway) &&
      (wanted === '' || `${store.name} ${placeOf(store.settings)}`.toLowerCase().includes(wanted)),
  )
}

/** What to ask to see the first rows; the path is one that the catalogue gave. */
export function firstRowsSql(kind: string, path: string): string {
  const isOfFiles = !['postgres', 'mysql'].includes(kind)
  return `select * from ${isOfFiles ? `'${path.replaceAll("'", "''")}'` : path} limit 100`
}
