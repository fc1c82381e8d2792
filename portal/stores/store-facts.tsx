import { Anchor } from '@mantine/core'
import type { StoreView } from '@postern/protocol/api/stores.ts'
import { Link } from '@tanstack/react-router'
import { Facts } from '../parts/facts.tsx'
import { useKinds } from './kinds.ts'
import { placeOf } from './store-words.ts'

/** What a store is; its secrets by their names only. */
export function StoreFacts({ store }: { readonly store: StoreView }) {
  const kinds = useKinds()
  const properties = kinds.find(store.kind)?.config.properties ?? {}
  const labels = Object.entries(store.nodeLabels).map(([name, value]) => `${name}=${value}`)
  const gateway = (
    <Anchor size="sm" renderRoot={(props) => <Link to="/gateways/$gateway" params={{ gateway: store.gateway }} {...props} />}>
      {store.gateway}
    </Anchor>
  )
  return (
    <Facts
      facts={[
        ['Where', placeOf(store.settings)],
        ['Gateway', gateway],
        ['Nodes that answer for it', labels.length === 0 ? 'every node of the gateway' : `those with ${labels.join(', ')}`],
        ['Secrets', store.secrets.length === 0 ? 'none' : `sealed: ${store.secrets.join(', ')}`],
        ['Version', store.version],
        ['Changed', new Date(store.updatedAt).toLocaleString()],
        ...Object.entries(store.settings).map(([name, value]) => [properties[name]?.title ?? name, shown(value)] as const),
      ]}
    />
  )
}

const LONGEST = 120
const shown = (value: string | number | boolean) => {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  const text = String(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
